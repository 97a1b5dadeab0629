"""Gather what proves to an outsider that entries are in the log, and were there in time."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from compliance.refusals import Unavailable
from compliance.trail import keys, stored
from compliance.trail.stored import LOG_ID
from compliance.trail.tlog import canonical, merkle

VERSION = 1
_POLL_S = 0.1
_ENTRIES = (
    "SELECT v.entry_id, v.idx, v.body, v.digest, l.previous, v.record, v.record_id, v.record_seq "
    "FROM audit.entry_view v LEFT JOIN audit.leaf l ON l.entry_id = v.entry_id "
    "WHERE v.log_id = %s AND v.body IS NOT NULL AND {where} ORDER BY v.idx NULLS LAST, v.entry_id"
)


@dataclass(frozen=True, kw_only=True)
class Proven:
    """An entry with the path from its leaf to the root that the checkpoint signs."""

    entry_id: int
    index: int
    body: bytes
    digest: bytes
    previous: bytes
    proof: Sequence[bytes]


@dataclass(frozen=True, kw_only=True)
class Unsealed:
    """An entry that no checkpoint covers yet: said, not hidden."""

    entry_id: int
    record: str
    record_id: str
    record_seq: int
    digest: bytes


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Entries, their proofs and the signed checkpoint; `evidence_check.check` verifies it offline.

    `tree_size` is 0 and `checkpoint` empty while nothing has been signed.
    """

    origin: str
    tree_size: int
    checkpoint: str
    vkey: str
    records: tuple[tuple[str, str], ...]
    entries: tuple[Proven, ...]
    unsealed: tuple[Unsealed, ...]

    def to_json(self) -> bytes:
        """Return the canonical bytes, as attached to reports and handed to inspectors."""
        return canonical.dumps(
            {
                "checkpoint": self.checkpoint,
                "entries": [
                    {
                        "body": entry.body.decode(),
                        "digest": entry.digest.hex(),
                        "index": entry.index,
                        "previous": entry.previous.hex(),
                        "proof": [one.hex() for one in entry.proof],
                    }
                    for entry in self.entries
                ],
                "origin": self.origin,
                "records": [{"id": record_id, "record": name} for name, record_id in self.records],
                "tree_size": self.tree_size,
                "unsealed": [
                    {
                        "digest": entry.digest.hex(),
                        "record": entry.record,
                        "record_id": entry.record_id,
                        "record_seq": entry.record_seq,
                    }
                    for entry in self.unsealed
                ],
                "v": VERSION,
                "vkey": self.vkey,
            }
        )


def gather(records: Iterable[tuple[str, object]]) -> Evidence:
    """Gather all entries of records, given as table and primary key, up to the newest checkpoint.

    What must agree with other reads is called in one REPEATABLE READ transaction with them.
    """
    named = tuple(dict.fromkeys((table, str(record_id)) for table, record_id in records))
    return _evidence(
        named,
        "(v.record, v.record_id) IN (SELECT * FROM unnest(%s::text[], %s::text[]))",
        [[table for table, _ in named], [record_id for _, record_id in named]],
    )


def receipt(act_id: str) -> Evidence:
    """Return what there is for the entries of one act: digests at once, proofs when sealed."""
    return _evidence((), "v.act = %s", [act_id])


def of_entry(entry_id: int) -> Evidence:
    """Return what there is for one entry."""
    return _evidence((), "v.entry_id = %s", [entry_id])


def wait_until_sealed(entry_ids: Iterable[int] | None = None, *, timeout: float) -> None:
    """Wait until a checkpoint covers these entries, or all there are now; for tasks only.

    Raise `Unavailable` when it takes longer than `timeout` seconds.
    """
    deadline = time.monotonic() + timeout
    waiting = _uncovered(None if entry_ids is None else list(entry_ids))
    while waiting:
        if time.monotonic() >= deadline:
            raise Unavailable(
                f"{len(waiting)} entries of the audit trail are not sealed after {timeout:g} s: "
                "is the sequencer running?"
            )
        time.sleep(_POLL_S)
        waiting = _uncovered(waiting)


def _uncovered(entry_ids: list[int] | None) -> list[int]:
    """Return which entries no checkpoint covers."""
    with connection.cursor() as cursor:
        if entry_ids is None:
            # Sealed ones have an index; of those only the last few can be beyond the checkpoint.
            cursor.execute(
                "SELECT entry_id FROM audit.entry_view WHERE idx IS NULL UNION ALL "
                "SELECT entry_id FROM audit.leaf WHERE log_id = %(log)s AND idx >= coalesce("
                "(SELECT max(size) FROM audit.checkpoint WHERE log_id = %(log)s), 0)",
                {"log": LOG_ID},
            )
        else:
            cursor.execute(
                "SELECT id FROM unnest(%(ids)s::bigint[]) id WHERE NOT EXISTS ("
                "SELECT FROM audit.leaf WHERE log_id = %(log)s AND entry_id = id "
                "AND idx < coalesce("
                "(SELECT max(size) FROM audit.checkpoint WHERE log_id = %(log)s), 0))",
                {"log": LOG_ID, "ids": entry_ids},
            )
        return [entry_id for (entry_id,) in cursor.fetchall()]


def _evidence(records: tuple[tuple[str, str], ...], where: str, values: list[Any]) -> Evidence:
    with connection.cursor() as cursor:
        # The checkpoint first: without a common snapshot, later entries are unsealed, not lost.
        cursor.execute(
            "SELECT l.origin, c.size, c.note FROM audit.log l LEFT JOIN audit.checkpoint c "
            "USING (log_id) WHERE l.log_id = %s ORDER BY c.size DESC NULLS LAST LIMIT 1",
            [LOG_ID],
        )
        origin, size, text = cursor.fetchone()
        cursor.execute(_ENTRIES.format(where=where), [LOG_ID, *values])
        rows = cursor.fetchall()
        reader = stored.reader(cursor)
        proven, unsealed = [], []
        for entry_id, index, body, digest, previous, record, record_id, seq in rows:
            if index is None or index >= (size or 0):
                unsealed.append(
                    Unsealed(
                        entry_id=entry_id,
                        record=record,
                        record_id=record_id,
                        record_seq=seq,
                        digest=bytes(digest),
                    )
                )
                continue
            if body is None or digest is None or previous is None:
                raise stored.Damaged(f"the leaf or the body of entry {entry_id} is not there")
            proven.append(
                Proven(
                    entry_id=entry_id,
                    index=index,
                    body=body.encode(),
                    digest=bytes(digest),
                    previous=bytes(previous),
                    proof=merkle.inclusion_proof(index, size, reader),
                )
            )
    return Evidence(
        origin=origin,
        tree_size=size or 0,
        checkpoint=text or "",
        vkey=keys.verifier(size=size).vkey if text else "",
        records=records,
        entries=tuple(proven),
        unsealed=tuple(unsealed),
    )
