"""Seal the heads of all records: commit, in the log itself, to the last entry of each.

Afterwards it can be shown to an outsider that the entries of a record are all of them, and that a
record was never there. Every other log leaves that to trust.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from django.db import connections, transaction
from django.db.backends.utils import CursorWrapper
from psycopg import Connection

from compliance.trail import archiving, binary_copy, entry_form, log_events
from compliance.trail.entry_form import EntryMalformed
from compliance.trail.models import LogEvent
from compliance.trail.recording import System
from compliance.trail.stored import LOG_ID
from compliance.trail.tlog import heads, leaf, merkle, tiles
from compliance.trail.tlog.canonical import NotCanonical
from compliance.trail.tlog.heads import Bucket, Head, HeadsInvalid

ALIAS = "sequencer"
KIND = "seal"
_EMPTY = heads.leaf_of(())
_PACK = binary_copy.packer("h q q 32s")


class NothingToSeal(Exception):
    """The log has no entry yet that search could find."""


@dataclass(frozen=True, kw_only=True)
class Sealed:
    """What a seal commits to: the log's first `tree_size` entries, by the heads of its records."""

    tree_size: int
    buckets: int
    records: int
    root: bytes


def seal(at: datetime, *, log_id: int = LOG_ID) -> Sealed:
    """Compute the heads of all records as of now, keep their buckets, and commit to them.

    Takes some seconds a million records, and the memory of one bucket. The sequencer writes the
    seal itself: from anybody else the database takes none.
    """
    with transaction.atomic(using=ALIAS), connections[ALIAS].cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        size = _size(cursor, log_id)
        cursor.execute("SELECT count(*) FROM audit.head WHERE log_id = %s", [log_id])
        (records,) = cursor.fetchone()
        buckets = heads.suitable(records)
        leaves = list(leaves_of_buckets(cursor, log_id, size, buckets))
        found = Sealed(
            tree_size=size, buckets=buckets, records=records, root=merkle.root_of(leaves)
        )
        _keep(cursor, log_id, size, leaves)
        document = {
            "v": 1,
            "tree_size": size,
            "buckets": buckets,
            "records": records,
            "keys": key_documents(cursor, log_id, size),
            "root": found.root.hex(),
            **_state(cursor, log_id, size, at),
        }
    log_events.record(
        KIND, document, actor=System("sequencer"), at=at, reason="heads of records", using=ALIAS
    )
    return found


def newest(log_id: int = LOG_ID) -> LogEvent | None:
    """Return the last seal of a log."""
    return LogEvent.objects.filter(kind=KIND).order_by("-pk").first()


class SealedHeads:
    """Answers with buckets as a seal committed to them; reads one bucket, not the log."""

    def __init__(self, cursor: CursorWrapper, *, log_id: int, tree_size: int, buckets: int) -> None:
        self._cursor = cursor
        self._log_id = log_id
        self._size = tree_size
        self._buckets = buckets
        self._bits = heads.bits_of(buckets)
        self._tree: tiles.Leaves | None = None

    def prove_record(self, record: str, record_id: str) -> Bucket:
        """Return the bucket in which a record is, or would be."""
        number = heads.bucket_of(heads.key_of(record, record_id), self._bits)
        low = (number << (32 - self._bits)).to_bytes(4, "big")
        high = (number + 1) << (32 - self._bits)
        end = high.to_bytes(4, "big") if high < 1 << 32 else b"\xff" * 33
        found = _heads(self._cursor, self._log_id, self._size, low=low, high=end)
        if self._tree is None:  # once: a batch has hundreds of records
            self._tree = tiles.Leaves(self._leaves())
        proof = merkle.inclusion_proof(number, self._buckets, self._tree)
        return Bucket(number=number, heads=tuple(head for _, head in found), proof=tuple(proof))

    def _leaves(self) -> list[bytes]:
        self._cursor.execute(
            "SELECT leaf_hash FROM audit.seal_leaf WHERE log_id = %s AND tree_size = %s "
            "ORDER BY number",
            [self._log_id, self._size],
        )
        return [bytes(leaf) for (leaf,) in self._cursor.fetchall()]


def _size(cursor: CursorWrapper, log_id: int) -> int:
    cursor.execute("SELECT size FROM audit.projected WHERE log_id = %s", [log_id])
    (size,) = cursor.fetchone()
    if not size:
        raise NothingToSeal(f"log {log_id} has no entry that search could find")
    return int(size)


_HEADS = """
SELECT h.key, h.record, h.record_id, p.record_seq, p.idx, p.op, e.digest, n.entries
FROM audit.head h
CROSS JOIN LATERAL (
    SELECT max(entry_id) AS entry_id, count(*) AS entries FROM audit.projection
    WHERE record_id = h.record_id AND record = h.record AND log_id = h.log_id AND idx < %(size)s
) n
JOIN audit.projection p ON p.entry_id = n.entry_id
LEFT JOIN audit.entry e ON e.entry_id = n.entry_id
WHERE h.log_id = %(log)s AND h.key >= %(low)s AND h.key < %(high)s
ORDER BY h.key
"""


def _heads(
    cursor: CursorWrapper, log_id: int, size: int, *, low: bytes = b"", high: bytes = b"\xff" * 33
) -> Iterator[tuple[bytes, Head]]:
    connection: Connection[Any] = cursor.db.connection
    archives: archiving.Reader | None = None
    values = {"log": log_id, "size": size, "low": low, "high": high}
    with connection.cursor(name="heads") as rows:
        rows.itersize = 5000
        rows.execute(_HEADS, values)
        for key, record, record_id, seq, index, op, stored, entries in rows:
            digest = bytes(stored or b"")
            if not digest:  # its bytes are in an archive file only
                archives = archives or archiving.Reader(log_id)
                digest = leaf.entry_digest(archives.body(index))
            head = Head(
                record=record,
                record_id=record_id,
                seq=seq,
                index=index,
                op=op,
                digest=digest,
                entries=entries,
            )
            yield bytes(key), head


def leaves_of_buckets(
    cursor: CursorWrapper, log_id: int, size: int, buckets: int
) -> Iterator[bytes]:
    """Yield the leaf of every bucket in order, of the empty ones too.

    Raise `HeadsInvalid` for what is no head, or is kept under the key of another record.
    """
    bits, due = heads.bits_of(buckets), 0
    rows = _heads(cursor, log_id, size)
    for number, group in groupby(rows, key=lambda row: heads.bucket_of(row[0], bits)):
        yield from (_EMPTY,) * (number - due)
        yield heads.leaf_of([_under(key, head) for key, head in group])
        due = number + 1
    yield from (_EMPTY,) * (buckets - due)


def _under(key: bytes, head: Head) -> Head:
    if head.key != key:
        raise HeadsInvalid(f"the head of {head.record} {head.record_id} is kept under another key")
    return head


def _keep(cursor: CursorWrapper, log_id: int, size: int, leaves: list[bytes]) -> None:
    """Keep the leaves of this seal, and forget those of the seals before the last one."""
    cursor.execute(
        "DELETE FROM audit.seal_leaf WHERE log_id = %(log)s AND tree_size < "
        "(SELECT max(tree_size) FROM audit.seal_leaf WHERE log_id = %(log)s)",
        {"log": log_id},
    )
    cursor.execute(
        "DELETE FROM audit.seal_leaf WHERE log_id = %s AND tree_size = %s", [log_id, size]
    )
    packed = [_PACK(log_id, size, number, leaf) for number, leaf in enumerate(leaves)]
    binary_copy.write(cursor, "audit.seal_leaf (log_id, tree_size, number, leaf_hash)", packed)


def _state(cursor: CursorWrapper, log_id: int, size: int, at: datetime) -> dict[str, Any]:
    """Return the chain head at this size, up to where all is sealed, and what the clocks say."""
    chain = chain_at(cursor, log_id, size)
    cursor.execute(
        # No committed entry of a transaction before this one is unsealed.
        "SELECT least(pg_snapshot_xmin(pg_current_snapshot()), (SELECT min(e.xid) "
        "FROM audit.unprojected u JOIN audit.entry e USING (entry_id) "
        "WHERE u.idx IS NULL AND u.log_id = %s))::text, clock_timestamp()",
        [log_id],
    )
    xmin, now = cursor.fetchone()
    clock = {"database": _stamp(now), "product": _stamp(at)}
    return {"chain": chain.hex(), "xmin": xmin, "clock": clock}


def chain_at(cursor: CursorWrapper, log_id: int, size: int) -> bytes:
    """Return the head of the chain after so many leaves."""
    cursor.execute(
        "SELECT coalesce((SELECT previous FROM audit.leaf WHERE log_id = %(log)s "
        "AND idx = %(size)s), (SELECT chain FROM audit.log_state WHERE log_id = %(log)s))",
        {"log": log_id, "size": size},
    )
    (chain,) = cursor.fetchone()
    return bytes(chain or b"")


def key_documents(cursor: CursorWrapper, log_id: int, size: int) -> int:
    """Count what the log says about its keys, so that an outsider sees when some is kept back.

    The entries are asked, as an outsider reads them, and not the table of events. Reads the log's
    entries about itself: some thousands a year.
    """
    cursor.execute(
        "SELECT p.idx, e.body, l.origin FROM audit.projection p "
        "LEFT JOIN audit.entry e USING (entry_id) JOIN audit.log l ON l.log_id = p.log_id "
        "WHERE p.log_id = %s AND p.idx < %s AND p.record = %s "
        "AND (e.body IS NULL OR position(%s::bytea IN e.body) > 0)",
        [log_id, size, LogEvent._meta.db_table, b'"kind":"key"'],
    )
    rows = cursor.fetchall()
    archives = archiving.Reader(log_id) if any(body is None for _, body, _ in rows) else None
    return sum(
        _is_key_document(archives.body(index) if archives and body is None else bytes(body), origin)
        for index, body, origin in rows
    )


def _is_key_document(body: bytes, origin: str) -> bool:
    try:
        entry = entry_form.parse(body)
    except (NotCanonical, EntryMalformed):
        return False
    new = entry["new"]
    return (
        (entry["log"], entry["record"], entry["op"], new.get("kind"))
        == (origin, LogEvent._meta.db_table, "insert", "key")
        and isinstance(new.get("document"), str)
    )  # fmt: skip


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
