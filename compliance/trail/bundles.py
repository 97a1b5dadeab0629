"""Gather what an evidence bundle about a subject needs from wherever the log is kept."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Protocol

from compliance.trail.tlog import merkle
from compliance.trail.tlog.heads import Bucket
from compliance.trail.verifier.contents import (
    Completeness,
    Contents,
    Entry,
    Opening,
    Record,
    Signed,
    Subject,
    TimeStamp,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An entry as it is stored; `previous` is the chain head before it."""

    index: int
    body: bytes
    digest: bytes
    previous: bytes


class Heads(Protocol):
    """The heads of records under one seal."""

    def prove_record(self, record: str, record_id: str) -> Bucket:
        """Return the bucket in which a record is, or would be."""


class Source(Protocol):
    """Where the log is kept. All answers are of one moment: one REPEATABLE READ transaction."""

    @property
    def origin(self) -> str: ...

    def newest(self) -> int:
        """Return the size of the newest checkpoint; rows beyond it are not asked for."""

    def note(self, size: int) -> bytes:
        """Return the checkpoint of a size, with the cosignatures of its witnesses."""

    def reader(self) -> merkle.Reader:
        """Return what answers with subtree roots."""

    def entries_of(self, record: Record) -> Iterable[Row]:
        """Return the entries of a record."""

    def entries_at(self, indices: Iterable[int]) -> Iterable[Row]:
        """Return the entries with these indices."""

    def log_events(self, kind: str) -> Iterable[Row]:
        """Return the entries in which the log says this kind of thing about itself, ascending."""

    def heads(self, *, tree_size: int, buckets: int) -> Heads:
        """Return the heads of all records as they were sealed at a tree size."""

    def openings(self, indices: Iterable[int]) -> Iterable[Opening]:
        """Return the values of these entries that may be disclosed, and are not erased."""

    def timestamps(self) -> Mapping[int, TimeStamp]:
        """Return the tokens by the size of the checkpoint that they are over."""


class NoSeal(Exception):
    """The log has sealed no heads yet: nothing could show that a record is complete."""


def gather(
    source: Source,
    subject: Subject,
    *,
    created_at: datetime,
    indices: Iterable[int] = (),
    sizes: Iterable[int] = (),
    policy: bytes | None = None,
    authorities: bytes | None = None,
    verifier: bytes | None = None,
) -> Contents:
    """Return the contents of a bundle for `verifier.writing.bundle`.

    `indices` are further entries, of an act or a person; `sizes` are further checkpoints, which
    others hold. Raise `NoSeal` when records are claimed and the log has no seal.
    """
    newest = source.newest()
    rows = {row.index: row for row in _rows(source, subject, indices) if row.index < newest}
    completeness, sealed = _completeness(source, subject, newest)
    rows |= sealed
    rows |= _about(source, rows, newest)
    stamps = _stamps(source, rows, newest)
    rows |= {row.index: row for _, row in stamps.values() if row and row.index < newest}
    timestamps = {size: stamp for size, (stamp, _) in stamps.items()}
    reader = source.reader()
    return Contents(
        origin=source.origin,
        tree_size=newest,
        created_at=created_at,
        subject=subject,
        entries=tuple(_proven(rows[index], newest, reader) for index in sorted(rows)),
        checkpoints={
            size: Signed(
                note=source.note(size),
                consistency=tuple(merkle.consistency_proof(size, newest, reader)),
            )
            for size in sorted({newest, *timestamps, *sizes})
        },
        completeness=completeness,
        openings=tuple(sorted(source.openings(sorted(rows)))),
        timestamps=timestamps,
        policy=policy,
        authorities=authorities,
        verifier=verifier,
    )


def _rows(source: Source, subject: Subject, indices: Iterable[int]) -> Iterator[Row]:
    for record in subject.records:
        yield from source.entries_of(record)
    yield from source.entries_at(indices)
    if subject.range:
        first, last = subject.range
        yield from source.entries_at(range(first, last + 1))


def _completeness(
    source: Source, subject: Subject, newest: int
) -> tuple[Completeness, dict[int, Row]]:
    if not subject.records:
        return Completeness(), {}
    seals = _seals(source, newest)
    if not seals:
        raise NoSeal("seal the heads of records first")
    document = _document(seals[-1])
    tree = source.heads(tree_size=document["tree_size"], buckets=document["buckets"])
    proven = {one.number: one for one in (tree.prove_record(*two) for two in subject.records)}
    buckets = tuple(proven[number] for number in sorted(proven))
    return Completeness(seal=seals[-1].index, buckets=buckets), {seals[-1].index: seals[-1]}


def _about(source: Source, rows: Mapping[int, Row], newest: int) -> dict[int, Row]:
    """Return what a verifier needs of the log itself, and the redactions of these entries.

    That is: all its keys and erasable paths, the log that it continues, and a seal, which says
    how many documents about keys there were.
    """
    kinds = ("key", "redactable", "origin")
    found = [row for kind in kinds for row in source.log_events(kind)]
    found += _seals(source, newest)[-1:]
    found += [row for row in source.log_events("redaction") if _is_about(row, rows)]
    return {row.index: row for row in found if row.index < newest}


def _stamps(
    source: Source, rows: Iterable[int], newest: int
) -> dict[int, tuple[TimeStamp, Row | None]]:
    """Return the tokens that bound these entries most closely, with their own entries."""
    all_stamps = {size: one for size, one in source.timestamps().items() if size <= newest}
    logged = {
        str(_document(row).get("token_sha256")): row for row in source.log_events("timestamp")
    }
    own = {size: logged.get(sha256(one.response).hexdigest()) for size, one in all_stamps.items()}
    wanted: set[int] = set()
    for index in rows:
        wanted.update(sorted(size for size in all_stamps if size > index)[:1])
        wanted.update(sorted(size for size, row in own.items() if row and row.index < index)[-1:])
    return {size: (all_stamps[size], own[size]) for size in sorted(wanted)}


def _is_about(redaction: Row, rows: Mapping[int, Row]) -> bool:
    index = _document(redaction).get("index")
    return isinstance(index, int) and index in rows


def _seals(source: Source, newest: int) -> list[Row]:
    return [row for row in source.log_events("seal") if row.index < newest and _is_seal(row)]


def _is_seal(row: Row) -> bool:
    return all(type(_document(row).get(name)) is int for name in ("tree_size", "buckets"))


def _document(row: Row) -> Mapping[str, Any]:
    """Return what the log says in an entry; empty when it was planted and says nothing."""
    try:
        document = json.loads(json.loads(row.body)["new"]["document"])
    except (ValueError, LookupError, TypeError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _proven(row: Row, size: int, reader: merkle.Reader) -> Entry:
    return Entry(
        index=row.index,
        body=row.body,
        digest=row.digest,
        previous=row.previous,
        proof=tuple(merkle.inclusion_proof(row.index, size, reader)),
    )
