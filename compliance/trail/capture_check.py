"""Say what is missing or altered in the captures of controlled tables.

All tables are looked at in a few statements: one statement for each of them would cost a verification
of a young log more than everything else.
"""

# ruff: noqa: S608 -- of parts of this module

from collections import defaultdict
from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

from django.db.backends.utils import CursorWrapper

from compliance.trail import capture_columns, capture_sql
from compliance.trail.capture_columns import AUDIT_COLUMNS, Columns, Control, NotControllable
from compliance.trail.capture_sql import LAST, TRIGGERS


def problems(cursor: CursorWrapper, controls: Collection[Control]) -> dict[str, list[str]]:
    """Return what is not as declared by table, for each table that is there."""
    found = _Found.read(cursor, controls)
    return {
        control.table: [
            f"{control.table}: {problem}"
            for problem in (
                *_column_problems(found.columns[control.table]),
                *_trigger_problems(found.triggers[control.table]),
                *_function_problems(found, control),
                *_bypass_problems(found.bypasses[control.table], control),
            )
        ]
        for control in controls
        if control.table in found.tables
    }


# Each table with its number and those of its two capture functions, as far as they are there.
_DECLARED = """
WITH declared AS (
    SELECT name, to_regclass(format('public.%%I', name)) AS rel,
        ARRAY[to_regprocedure(by_row), to_regprocedure(inserted)]::oid[] AS functions
    FROM unnest(%(names)s::text[], %(by_row)s::text[], %(inserted)s::text[])
        AS one (name, by_row, inserted))
"""
_TABLES = f"{_DECLARED} SELECT name FROM declared WHERE rel IS NOT NULL"
_TRIGGERS = f"""{_DECLARED}
SELECT name, tgname::text, tgenabled::text, coalesce(array_position(functions, tgfoid), 0) - 1,
    tgtype::int, tgqual IS NULL AND tgattr = '' AND tgnargs = 0
    AND tgoldtable IS NULL AND tgnewtable IS NOT DISTINCT FROM
    CASE WHEN tgtype = 4 THEN 'inserted'::name END
FROM declared JOIN pg_trigger ON tgrelid = rel
"""
_FUNCTIONS = f"""{_DECLARED}
SELECT name, which - 1, prosrc, prosecdef, proconfig,
    pg_get_userbyid(proowner)::text
FROM declared CROSS JOIN unnest(functions) WITH ORDINALITY AS called (function, which)
JOIN pg_proc p ON p.oid = function
"""
# Only the checks of keys are PostgreSQL's own triggers, whatever one says of itself.
_BYPASSES = f"""{_DECLARED}
SELECT name, tgname::text, 'trigger ' || tgname || CASE WHEN tgtype & 3 = 3 AND tgname > %(last)s
    THEN ' runs after the capture' ELSE ' is declared by nobody' END
FROM declared JOIN pg_trigger ON tgrelid = rel
WHERE NOT (tgisinternal AND EXISTS (SELECT FROM pg_proc p WHERE p.oid = tgfoid AND p.oid < 16384
    AND (p.proname LIKE %(keys)s OR p.proname = 'unique_key_recheck')))
UNION ALL SELECT name, NULL, 'rule ' || rulename || ' rewrites statements'
FROM declared JOIN pg_rewrite ON ev_class = rel
UNION ALL SELECT name, NULL, 'table ' || inhrelid::regclass || ' inherits from it'
FROM declared JOIN pg_inherits ON inhparent = rel
"""


class _Function(NamedTuple):
    source: str
    is_of_owner: bool  # SECURITY DEFINER
    settings: list[str] | None
    owner: str


class _Trigger(NamedTuple):
    enabled: str
    calls: int  # which of the two capture functions; -1 for another one
    kind: int
    is_unconditional: bool


class _Found(NamedTuple):
    """What the database has, by table."""

    tables: set[str]
    columns: dict[str, Columns]
    triggers: dict[str, dict[str, _Trigger]]
    functions: dict[tuple[str, int], _Function]
    bypasses: dict[str, list[tuple[str | None, str]]]

    @classmethod
    def read(cls, cursor: CursorWrapper, controls: Collection[Control]) -> "_Found":
        names = [control.table for control in controls]
        functions = [[f"{one}()" for one in capture_sql.function_names(name)] for name in names]
        parameters: dict[str, Any] = {
            "names": names,
            "by_row": [by_row for by_row, _ in functions],
            "inserted": [inserted for _, inserted in functions],
            "last": LAST,
            "keys": r"RI\_FKey\_%",
        }
        found = cls(
            set(), capture_columns.columns(cursor, controls), defaultdict(dict), {},
            defaultdict(list),
        )  # fmt: skip
        cursor.execute(_TABLES, parameters)
        found.tables.update(name for (name,) in cursor.fetchall())
        cursor.execute(_TRIGGERS, parameters)
        for table, name, *rest in cursor.fetchall():
            found.triggers[table][name] = _Trigger(*rest)
        cursor.execute(_FUNCTIONS, parameters)
        for table, which, *rest in cursor.fetchall():
            found.functions[table, which] = _Function(*rest)
        cursor.execute(_BYPASSES, parameters)
        for table, trigger, problem in cursor.fetchall():
            found.bypasses[table].append((trigger, problem))
        return found


def _column_problems(found: Columns) -> Iterator[str]:
    """Yield what the records of a table cannot be without; any other column is named by its values."""
    for name in sorted({found.control.pk, *found.control.redactable} - found.types.keys()):
        yield f"the column {name} is not there"
    for name in sorted(AUDIT_COLUMNS.keys() - found.leads):
        yield f"the column {name}, which leads to the last entry, is not there or of another type"


def _trigger_problems(present: dict[str, _Trigger]) -> Iterator[str]:
    for name, (_, which, kind) in TRIGGERS.items():
        if name not in present:
            yield f"trigger {name} is missing"
            continue
        found = present[name]
        if found.calls != which:
            yield f"trigger {name} calls another function"
        if found.enabled != "A":
            yield f"trigger {name} is not ENABLE ALWAYS"
        if found.kind != kind or not found.is_unconditional:
            yield f"trigger {name} fires under other conditions than declared"


def _function_problems(found: _Found, control: Control) -> Iterator[str]:
    columns = found.columns[control.table]
    if not columns.types:
        return  # named already, and no function is of nothing
    try:
        expected = capture_sql.functions_sql(columns)
    except NotControllable as error:
        yield str(error)
        return
    names = capture_sql.function_names(control.table)
    for which, (name, declared) in enumerate(zip(names, expected, strict=True)):
        present = found.functions.get((control.table, which))
        source = declared.split("$capture$")[1].strip()
        if present is None or present.source.strip() != source:
            yield f"the capture function {name} is missing or not the declared one"
        elif present[1:] != (True, ["search_path=pg_catalog, pg_temp"], "gmp_trail"):
            yield f"the capture function {name} runs as somebody else or with another search path"


def _bypass_problems(found: list[tuple[str | None, str]], control: Control) -> Iterator[str]:
    """Yield what would change a row after the capture saw it, or lead a statement elsewhere."""
    ours = {*TRIGGERS, *control.guards}
    yield from (problem for trigger, problem in found if trigger not in ours)
