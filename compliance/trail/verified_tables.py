"""Say how the rows of controlled tables are read, and look at what only some of them have."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from django.db.backends.utils import CursorWrapper

from compliance.trail import capture, capture_columns
from compliance.trail.capture_columns import Columns
from compliance.trail.findings import Findings, Verdict
from compliance.trail.verifying.work import LiveJob, Table, TouchedJob

PAGES = 4096  # 32 MiB of a table: one job


def tables(cursor: CursorWrapper) -> tuple[Table, ...]:
    """Return every controlled table that is there."""
    found = []
    for control in capture.controls():
        columns = capture_columns.columns(cursor, control)
        if columns.types:
            found.append(_table(columns))
    return tuple(found)


def _table(columns: Columns) -> Table:
    control = columns.control
    # The commitments of redactable columns have a salt of their own each time.
    clear = Columns(
        replace(control, redactable=()),
        {name: kind for name, kind in columns.types.items() if name not in control.redactable},
        columns.not_null,
    )
    # Part of statements with parameters: format() has signs of percent.
    row = clear.row("t").replace("%", "%%") if clear.types else "'{}'"
    return Table(
        name=control.record,
        table=control.table,
        pk=control.pk,
        pk_type=columns.types.get(control.pk, "text"),
        row=row,
        first=f"sha256(convert_to({row}, 'UTF8'))",
        later=f"decode({columns.digest('t')}, 'hex')",
        redactable=control.redactable,
    )


def jobs(cursor: CursorWrapper, found: Sequence[Table]) -> Iterator[LiveJob]:
    """Yield jobs that read all pages of all tables."""
    number = 0
    for which, table in enumerate(found):
        cursor.execute(
            "SELECT pg_relation_size(to_regclass(%s)) / current_setting('block_size')::bigint",
            [f'public."{table.table}"'],
        )
        (pages,) = cursor.fetchone()
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


# The opening of the entry that gave a redactable column its present value.
_REDACTABLE = """
SELECT t."{pk}"::text, o.entry_id IS NULL FROM public."{of_table}" t
LEFT JOIN LATERAL (
    SELECT p.entry_id, audit.read_body(e.body) -> 'new' -> '{column}' AS set
    FROM audit.projection p JOIN audit.entry e USING (entry_id)
    WHERE p.record = '{table}' AND p.record_id = t."{pk}"::text
        AND (audit.read_body(e.body) -> 'new' -> '{column}') IS NOT NULL
    ORDER BY p.entry_id DESC LIMIT 1) s ON true
LEFT JOIN LATERAL (SELECT * FROM audit.openings_of_entries(ARRAY[s.entry_id])) o
    ON o.path = '{path}'
WHERE s.entry_id IS NOT NULL AND (
    (jsonb_typeof(s.set) = 'null') <> (t."{column}" IS NULL)
    OR o.value IS DISTINCT FROM t."{column}"::text AND o.entry_id IS NOT NULL)
"""


def check_redactable(
    cursor: CursorWrapper, found: Sequence[Table], redacted: frozenset[str], findings: Findings
) -> None:
    """Compare redactable columns, which are not in the digest of the row, with their openings."""
    for table in found:
        for column in table.redactable:
            path = f"{table.name}.{column}"
            cursor.execute(
                _REDACTABLE.format(
                    of_table=table.table, table=table.name, pk=table.pk, column=column, path=path
                )
            )
            for record_id, is_erased in cursor.fetchall():
                if is_erased and f"{table.name} {record_id} {path}" in redacted:
                    continue
                findings.add(
                    Verdict.TAMPERED,
                    f"{column} is not what the opening of its last entry says",
                    record=f"{table.name} {record_id}",
                )
