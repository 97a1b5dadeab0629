"""Show what the trail says of one record: who changed what, when and why."""

import re
from datetime import datetime
from typing import Any

from django.db import connection, models

from compliance.access import page_parts
from compliance.access.page_parts import Cell, Note, Part, Table
from compliance.trail import capture
from compliance.trail.tlog import canonical

NEWEST = 100
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_ENTRIES = """
    SELECT idx, at, actor, role, action, op, reason, body FROM audit.entry_view
    WHERE record = %s AND record_id = %s AND body IS NOT NULL ORDER BY record_seq DESC LIMIT %s
"""


def parts(record: models.Model) -> list[Part]:
    """Return the history of a record, newest entry first."""
    with connection.cursor() as cursor:
        cursor.execute(_ENTRIES, [capture.record_of(type(record)), str(record.pk), NEWEST + 1])
        found = cursor.fetchall()
    table = Table(
        columns=["Entry", "At", "By", "Act", "Changes", "Reason"],
        rows=[_row(entry) for entry in found[:NEWEST]],
        empty="The trail has no entry for this record.",
    )
    if len(found) <= NEWEST:
        return [table]
    return [Note(f"The newest {NEWEST} entries; the trail's own list has all of them."), table]


def _row(entry: tuple[Any, ...]) -> list[Cell]:
    index, at, actor, role, action, op, reason, body = entry
    return [
        str(index) if index is not None else "being sealed",
        page_parts.moment(at),
        f"{actor} ({role})",
        action,
        _changes(op, body),
        reason,
    ]


def _changes(op: str, body: str) -> Cell:
    entry: Any = canonical.loads(body.encode())
    if op == "insert":
        return "recorded"
    if op == "delete":
        return "removed"
    return page_parts.changes(
        [(name, _text(entry["old"].get(name)), _text(new)) for name, new in entry["new"].items()]
    )


def _text(value: Any) -> str:
    """Write a value as pages do: moments with their zone, and nothing where nothing was."""
    if value in (None, ""):
        return ""
    if not isinstance(value, str):
        return canonical.dumps(value).decode()
    return page_parts.moment(datetime.fromisoformat(value)) if _MOMENT.fullmatch(value) else value
