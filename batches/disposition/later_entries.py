"""Read from the trail which entries a batch's records have: after a decision, or as changes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from batches.execution import belongings
from batches.execution.models import Batch
from compliance.trail.verifier.contents import Record

MOST = 200
# What moves a batch on writes no new value over an old one: it is no correction.
_MOVES = (
    "execution.event-recorded", "execution.batch-", "disposition.", "execution.copy-checked",
    "execution.phase-verified", "execution.entry-verified", "execution.exception-",
    "quality.deviation-closed",
)  # fmt: skip
_FOUND = """
WITH young AS MATERIALIZED (
    SELECT u.entry_id, audit.read_body(u.body) AS b FROM audit.unprojected u
), wanted AS (
    SELECT record, record_id FROM unnest(%(tables)s::text[], %(keys)s::text[]) AS r(record, record_id)
)
SELECT p.entry_id, p.at, p.actor, p.role, p.action, p.op, p.reason, p.record, p.record_id
FROM wanted w CROSS JOIN LATERAL (
    SELECT * FROM audit.projection
    WHERE record_id = w.record_id AND record = w.record AND entry_id > %(after)s
) p
UNION ALL
SELECT y.entry_id, (b ->> 'at')::timestamptz, b -> 'act' ->> 'actor', b -> 'act' ->> 'role',
    b -> 'act' ->> 'action', b ->> 'op', b -> 'act' ->> 'reason', b ->> 'record', b ->> 'record_id'
FROM young y JOIN wanted w ON w.record = b ->> 'record' AND w.record_id = b ->> 'record_id'
WHERE y.entry_id > %(after)s
ORDER BY 1
"""


@dataclass(frozen=True)
class Later:
    """One entry, as a list of what came later shows it."""

    entry_id: int
    at: datetime
    actor: str
    role: str
    action: str
    op: str
    reason: str
    record: str
    record_id: str


@dataclass(frozen=True)
class Changes:
    """How many entries there are in all, and those that changed an earlier value."""

    total: int
    found: Sequence[Later]


def after(batch: Batch, *, record: Record) -> list[Later]:
    """Return what was entered on a batch's records after one of them got its first entry."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT min(entry_id) FROM audit.entry_view WHERE record = %s AND record_id = %s",
            list(record),
        )
        (position,) = cursor.fetchone()
    return [
        one
        for one in _entries(belongings.keys(batch, signed_only=True), after=position or 0)
        if not one.action.startswith("disposition.")
    ][:MOST]


def changes(batch: Batch) -> Changes:
    """Return the changes of a batch's own records that are more than its course."""
    found = _entries(belongings.keys(batch, signed_only=True), after=0)
    changed = [one for one in found if one.op != "insert" and not one.action.startswith(_MOVES)]
    return Changes(total=len(found), found=changed)


def _entries(keys: Sequence[Record], *, after: int) -> list[Later]:
    values: dict[str, Any] = {
        "tables": [table for table, _ in keys],
        "keys": [key for _, key in keys],
        "after": after,
    }
    with connection.cursor() as cursor:
        cursor.execute(_FOUND, values)
        return [Later(*row) for row in cursor.fetchall()]
