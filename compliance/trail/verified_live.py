"""Compare every row of every controlled table with the last entry of its record."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from django.db.backends.utils import CursorWrapper
from psycopg import Connection

from compliance.trail import capture, capture_sql
from compliance.trail.capture_sql import Columns
from compliance.trail.findings import Findings, Verdict
from compliance.trail.verified_records import Heads

CHUNK = 500


def check(
    connection: Connection[Any], cursor: CursorWrapper, heads: Heads, findings: Findings
) -> None:
    """Find rows that changed, came or went without an entry. Takes what it checks from `heads`."""
    controlled = []
    for control in capture.controls():
        columns = capture_sql.columns(cursor, control)
        controlled.append(control.table)
        if columns.types:
            _check_table(connection, cursor, columns, heads, findings)
    for table in heads.tables():
        if table not in controlled and any(not head.is_deleted for _, head in heads.left(table)):
            findings.notes.append(f"{table} has entries and is not controlled any more")


def _check_table(
    connection: Connection[Any],
    cursor: CursorWrapper,
    columns: Columns,
    heads: Heads,
    findings: Findings,
) -> None:
    table = columns.control.table
    differing = []
    for record_id, seq, head_digest, after in _rows(connection, columns):
        known = heads.take(table, record_id)
        record = f"{table} {record_id}"
        if known is None or known.is_deleted:
            findings.add(Verdict.TAMPERED, "the row is there without an entry", record=record)
        elif known.seq != seq or (known.digest or head_digest) != head_digest:
            findings.add(
                Verdict.TAMPERED,
                f"the row names entry {seq} as its last, the trail has {known.seq} entries of it "
                "with another last one",
                record=record,
            )
        if known is not None and not known.is_deleted and known.after not in (None, after):
            differing.append(record_id)
            if len(differing) == CHUNK:
                _explain(cursor, columns, differing, findings)
                differing = []
    _explain(cursor, columns, differing, findings)
    for record_id, head in heads.left(table):
        if not head.is_deleted:
            findings.add(
                Verdict.TAMPERED,
                "the row is gone, and its last entry is no deletion",
                record=f"{table} {record_id}",
            )


def _rows(connection: Connection[Any], columns: Columns) -> Iterator[tuple[str, int, bytes, bytes]]:
    table, pk = columns.control.table, columns.control.pk
    statement = (
        f'SELECT t."{pk}"::text, t.audit_seq, t.audit_head, '  # noqa: S608 -- declared tables
        f"sha256(convert_to({columns.row('t')}, 'UTF8')) FROM public.\"{table}\" t"
    )
    with connection.cursor(name="verified_rows", binary=True) as cursor:
        cursor.itersize = 2000
        cursor.execute(statement)
        yield from cursor


def _explain(
    cursor: CursorWrapper, columns: Columns, record_ids: Sequence[str], findings: Findings
) -> None:
    """Say which columns differ, by replaying the entries of the records."""
    if not record_ids:
        return
    table, pk = columns.control.table, columns.control.pk
    replayed: dict[str, dict[str, Any]] = {}
    cursor.execute(
        "SELECT record_id, body FROM audit.entry_view WHERE record = %s AND record_id = ANY(%s) "
        "AND body IS NOT NULL ORDER BY record_id, record_seq, entry_id",
        [table, list(record_ids)],
    )
    for record_id, body in cursor.fetchall():
        replayed.setdefault(record_id, {}).update(json.loads(body)["new"])
    whole = columns.row("t").replace("%", "%%")
    cursor.execute(
        f'SELECT t."{pk}"::text, {whole} '  # noqa: S608 -- declared tables
        f'FROM public."{table}" t WHERE t."{pk}"::text = ANY(%s)',
        [list(record_ids)],
    )
    unrecorded: set[str] = set()
    for record_id, text in cursor.fetchall():
        live, recorded = json.loads(text), replayed.get(record_id, {})
        differing = [
            name for name in sorted(live) if name in recorded and live[name] != recorded[name]
        ]
        if differing:
            findings.add(
                Verdict.TAMPERED,
                _difference(differing, recorded, live),
                record=f"{table} {record_id}",
            )
        elif live.keys() == recorded.keys():
            findings.add(
                Verdict.TAMPERED,
                "the row is not what its last entry says it was",
                record=f"{table} {record_id}",
            )
        else:
            unrecorded |= live.keys() ^ recorded.keys()
    if unrecorded:  # a migration added or dropped them after the last entry of these records
        findings.notes.append(
            f"{table}: {', '.join(sorted(unrecorded))} came or went with a migration after the "
            f"last entry of some records ({len(record_ids)} looked at)"
        )


def _difference(names: Sequence[str], recorded: dict[str, Any], live: dict[str, Any]) -> str:
    shown = "; ".join(
        f"{name} is {_short(live[name])}, recorded is {_short(recorded[name])}"
        for name in names[:5]
    )
    return f"changed without an entry: {shown}" + (", and more" if len(names) > 5 else "")


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."
