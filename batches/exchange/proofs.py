"""Prove that records are in the log: entry and digest at once, later the path to a checkpoint."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import connection, models

from compliance.trail import capture, evidence


@dataclass(frozen=True, kw_only=True)
class Proof:
    """Where the entry of a record is; index and what follows it are there once it is sealed.

    `path` leads from the leaf at `index` to the root that `checkpoint` signs (RFC 9162 2.1.3.2).
    """

    entry_id: int
    entry_digest: str
    index: int | None = None
    previous: str = ""
    tree_size: int | None = None
    path: Sequence[str] = ()
    checkpoint: str = ""


def of(records: Iterable[models.Model]) -> dict[int, Proof]:
    """Return the proof of the first entry of each record of one table, by primary key."""
    found = list(records)
    if not found:
        return {}
    table = capture.record_of(type(found[0]))
    gathered = evidence.gather((table, record.pk) for record in found)
    proofs: dict[int, Proof] = {}
    for unsealed in gathered.unsealed:
        if unsealed.record_seq == 1:
            proofs[int(unsealed.record_id)] = Proof(
                entry_id=unsealed.entry_id, entry_digest=unsealed.digest.hex()
            )
    by_digest = _keys_by_digest(found)
    for proven in gathered.entries:
        key = by_digest.get(proven.digest)
        if key is None:
            continue
        proofs[key] = Proof(
            entry_id=proven.entry_id,
            entry_digest=proven.digest.hex(),
            index=proven.index,
            previous=proven.previous.hex(),
            tree_size=gathered.tree_size,
            path=[one.hex() for one in proven.proof],
            checkpoint=gathered.checkpoint,
        )
    return proofs


def _keys_by_digest(records: Sequence[models.Model]) -> dict[bytes, int]:
    """Return whose entry has a digest: an append-only row keeps that of its one entry."""
    physical = type(records[0])._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT audit_head, id FROM {physical} WHERE id = ANY(%s)",  # noqa: S608 -- ours
            [[record.pk for record in records]],
        )
        return {bytes(head): pk for head, pk in cursor.fetchall()}
