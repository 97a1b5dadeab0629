"""Read the audit trail as an inspection sees it: up to the last entry of its snapshot."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import TextField
from django.db.models.functions import Cast

from compliance.inspection import scopes
from compliance.inspection.snapshots import Snapshot
from compliance.trail import capture


@dataclass(frozen=True)
class TrailEntry:
    """One entry of the trail, without its old and new values."""

    entry_id: int
    at: datetime
    act: str
    action: str
    actor: str
    role: str
    op: str
    reason: str
    record: str
    record_id: str


_COLUMNS = "entry_id, at, act, action, actor, role, op, reason, record, record_id"


def number(snapshot: Snapshot) -> int:
    """Return how many entries the trail has."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM audit.entry WHERE entry_id <= %s", [snapshot.extent.last_entry]
        )
        (found,) = cursor.fetchone()
    return int(found)


def changes(snapshot: Snapshot) -> Iterator[TrailEntry]:
    """Yield every change and deletion of records in scope, oldest first."""
    return _read(snapshot, "op <> 'insert'", [], in_scope=True)


def of_role(snapshot: Snapshot, role: str) -> Iterator[TrailEntry]:
    """Yield every entry made by somebody who held this role at that moment."""
    return _read(snapshot, "%s = ANY(string_to_array(role, ','))", [role], in_scope=False)


def of_records(
    snapshot: Snapshot, table: str, ids: Sequence[str], *, after: datetime | None = None
) -> Iterator[TrailEntry]:
    """Yield the entries of some records of one table, those after a moment if one is given."""
    where = "record = %s AND record_id = ANY(%s)"
    values: list[Any] = [table, list(ids)]
    if after is not None:
        where += " AND at > %s"
        values.append(after)
    return _read(snapshot, where, values, in_scope=False)


def with_action(snapshot: Snapshot, actions: Sequence[str]) -> Iterator[TrailEntry]:
    """Yield the entries of some actions."""
    return _read(snapshot, "action = ANY(%s)", [list(actions)], in_scope=False)


def ids_of(
    snapshot: Snapshot, records: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], list[int]]:
    """Return the numbers of the trail entries of each record given by table and identity."""
    wanted: dict[str, list[str]] = {}
    for table, record_id in sorted(set(records)):
        wanted.setdefault(table, []).append(record_id)
    found: dict[tuple[str, str], list[int]] = {}
    for table, ids in wanted.items():
        for entry in of_records(snapshot, table, ids):
            found.setdefault((entry.record, entry.record_id), []).append(entry.entry_id)
    return found


def _read(
    snapshot: Snapshot, where: str, values: list[Any], *, in_scope: bool
) -> Iterator[TrailEntry]:
    if in_scope and snapshot.scope:
        narrowed, more = _in_scope(snapshot)
        where, values = f"({where}) AND ({narrowed})", [*values, *more]
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {_COLUMNS} FROM audit.entry_view "  # noqa: S608 -- conditions are literals above
            f"WHERE entry_id <= %s AND body IS NOT NULL AND ({where}) ORDER BY entry_id",
            [snapshot.extent.last_entry, *values],
        )
        while rows := cursor.fetchmany(2000):
            for row in rows:
                yield TrailEntry(*row)


def _in_scope(snapshot: Snapshot) -> tuple[str, list[object]]:
    """Return SQL that is true for entries of records that belong to the batches in scope."""
    parts, values = [], []
    for model in scopes.narrowed():
        rows = (
            snapshot.rows(model)
            .order_by()
            .annotate(text_id=Cast("pk", TextField()))
            .values("text_id")
        )
        statement, its_values = rows.query.sql_with_params()
        parts.append(f"(record = %s AND record_id IN ({statement}))")
        values += [capture.record_of(model), *its_values]
    return " OR ".join(parts) or "false", values
