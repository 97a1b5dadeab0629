"""Say how the rows of controlled tables are read, and look at what only some of them have."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache

from django.db.backends.utils import CursorWrapper

from compliance.trail import capture, capture_columns, verified_documents
from compliance.trail.capture_columns import Columns
from compliance.trail.findings import Findings, Verdict
from compliance.trail.verifying.work import LiveJob, Table, TouchedJob

PAGES = 4096  # 32 MiB of a table: one job


def tables(cursor: CursorWrapper) -> tuple[Table, ...]:
    """Return every controlled table whose rows lead to their entries.

    One without its key, or the columns to the last entry, is named by its capture.
    """
    found = capture_columns.columns(cursor, list(capture.controls()))
    return tuple(
        _table(one)
        for one in found.values()
        if one.control.pk in one.types and one.leads == capture_columns.AUDIT_COLUMNS.keys()
    )


@cache
def _table(columns: Columns) -> Table:
    control = columns.control
    # The commitments of redactable columns have a salt of their own each time.
    kinds = {
        name: kind if capture_columns.is_exact(kind) else capture_columns.OTHER
        for name, kind in columns.types.items()
        if name not in control.redactable
    }
    clear = Columns(replace(control, redactable=()), kinds, columns.not_null)
    row = _row(clear)
    return Table(
        name=control.record,
        table=control.table,
        pk=control.pk,
        pk_type=columns.types.get(control.pk, "text"),
        # What is shown of a row is an object also where somebody took the values that it must have.
        row=_row(replace(clear, not_null=frozenset())),
        first=f"sha256(convert_to({row}, 'UTF8'))",
        later=f"decode({columns.digest('t')}, 'hex')",
        redactable=control.redactable,
    )


def _row(columns: Columns) -> str:
    # Part of statements with parameters: format() has signs of percent.
    return columns.row("t").replace("%", "%%") if columns.types else "'{}'"


def told_of(cursor: CursorWrapper, found: Sequence[Table], kind: str) -> frozenset[str]:
    """Return the columns that DDL of a kind is told to have had as its object, as `record.column`.

    Where a table had other names before, an entry about any table counts for it.
    """
    objects = [
        one["object"].removeprefix("public.").replace('"', "").partition(".")
        for one in verified_documents.told(cursor, "ddl")
        if one["kind"] == kind
    ]
    return frozenset(
        f"{table.name}.{column}"
        for table in found
        for name, _, column in objects
        if name == table.table or table.table != table.name
    )


def jobs(cursor: CursorWrapper, found: Sequence[Table]) -> Iterator[LiveJob]:
    """Yield jobs that read all pages of all tables."""
    cursor.execute(
        "SELECT pg_relation_size(to_regclass(format('public.%%I', name))) "
        "/ current_setting('block_size')::bigint "
        "FROM unnest(%s::text[]) WITH ORDINALITY AS one (name, which) ORDER BY which",
        [[table.table for table in found]],
    )
    number = 0
    for which, (pages,) in enumerate(cursor.fetchall()):
        for start in range(0, pages, PAGES):
            yield LiveJob(table=which, start=start, end=min(start + PAGES, pages), number=number)
            number += 1


def touched(
    records: Iterable[tuple[str, str]], found: Sequence[Table], ids: int = 1000
) -> Iterator[TouchedJob]:
    """Yield jobs that read the rows of these records."""
    names = {table.name: which for which, table in enumerate(found)}
    by_table: dict[int, list[str]] = {}
    for name, record_id in records:
        if name in names:
            by_table.setdefault(names[name], []).append(record_id)
    number = 0
    for which, all_ids in by_table.items():
        for at in range(0, len(all_ids), ids):
            yield TouchedJob(table=which, ids=tuple(all_ids[at : at + ids]), number=number)
            number += 1


# The opening of the entry that gave a redactable column its present value, which search may not
# show yet. What was erased leaves nothing to compare a value with: then the row has none.
_REDACTABLE = """
SELECT t."{pk}"::text, jsonb_typeof(f.set) <> 'null' AND o.entry_id IS NULL
FROM public."{of_table}" t
LEFT JOIN (
    SELECT DISTINCT ON (1) j.b ->> 'record_id' AS record_id, u.entry_id,
        j.b -> 'new' -> '{column}' AS set
    FROM audit.unprojected u CROSS JOIN LATERAL (SELECT audit.read_body(u.body) AS b OFFSET 0) j
    WHERE j.b ->> 'record' = '{table}' AND (j.b -> 'new' -> '{column}') IS NOT NULL
    ORDER BY 1, u.entry_id DESC) l ON l.record_id = t."{pk}"::text
LEFT JOIN LATERAL (
    SELECT p.entry_id, audit.read_body(e.body) -> 'new' -> '{column}' AS set
    FROM audit.projection p JOIN audit.entry e USING (entry_id)
    WHERE l.entry_id IS NULL AND p.record = '{table}' AND p.record_id = t."{pk}"::text
        AND (audit.read_body(e.body) -> 'new' -> '{column}') IS NOT NULL
    ORDER BY p.entry_id DESC LIMIT 1) s ON true
CROSS JOIN LATERAL (
    SELECT coalesce(l.entry_id, s.entry_id) AS entry_id, coalesce(l.set, s.set) AS set) f
LEFT JOIN LATERAL (SELECT * FROM audit.openings_of_entries(ARRAY[f.entry_id])) o
    ON o.path = '{path}'
WHERE f.entry_id IS NOT NULL AND CASE
    WHEN jsonb_typeof(f.set) = 'null' THEN t."{column}" IS NOT NULL
    WHEN o.entry_id IS NULL THEN t."{column}"::text <> ''
    ELSE t."{column}" IS NULL OR o.value IS DISTINCT FROM t."{column}"::text END
"""


def check_redactable(
    cursor: CursorWrapper, found: Sequence[Table], redacted: frozenset[str], findings: Findings
) -> None:
    """Compare redactable columns, which are not in the digest of the row, with their openings.

    One that is not there is named by the capture of its table.
    """
    present = capture_columns.columns(cursor, list(capture.controls()))
    for table in found:
        for column in table.redactable:
            if column not in present[table.table].types:
                continue
            path = f"{table.name}.{column}"
            cursor.execute(
                _REDACTABLE.format(
                    of_table=table.table, table=table.name, pk=table.pk, column=column, path=path
                )
            )
            for record_id, is_erased in cursor.fetchall():
                record = f"{table.name} {record_id}"
                if not is_erased:
                    message = f"{column} is not what the opening of its last entry says"
                elif f"{record} {path}" in redacted:
                    message = f"{column} was erased by a redaction, and the row has a value of it"
                else:
                    continue  # named where the opening is missing
                findings.add(Verdict.TAMPERED, message, record=record)
