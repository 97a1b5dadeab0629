"""Say which triggers and functions of the tables are not as their migrations declare them.

A guard runs before the capture, with the act in its hands: one whose code was exchanged can change
who acted, and one that is gone lets through what it was to refuse.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from django.db.backends.utils import CursorWrapper
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations import RunSQL

from compliance.trail import declared_functions
from compliance.trail.roles import OWNER

_STATEMENT = re.compile(
    r"CREATE (?:OR REPLACE )?FUNCTION public\.(?P<function>\w+)\s*\((?P<header>.*?)"
    r"AS \$\$(?P<source>.*?)\$\$"
    r"|CREATE (?:CONSTRAINT )?TRIGGER (?P<trigger>\w+)\s+(?P<when>BEFORE|AFTER)\s+(?P<events>.*?)\s+"
    r"ON public\.(?P<table>\w+)\s(?P<rest>.*?)EXECUTE FUNCTION\s+(?P<call>[\w.]+)\((?P<args>.*?)\);"
    r"|DROP TRIGGER (?:IF EXISTS )?(?P<no_trigger>\w+) ON public\.(?P<no_table>\w+)"
    r"|DROP FUNCTION (?:IF EXISTS )?public\.(?P<no_function>\w+)",
    re.DOTALL,
)
_BITS = {"INSERT": 4, "DELETE": 8, "UPDATE": 16, "TRUNCATE": 32}  # of pg_trigger.tgtype
_ROW, _BEFORE = 1, 2


@dataclass
class Declared:
    """Functions by name, triggers by table and name, each as the database would say it."""

    functions: dict[str, tuple[object, ...]] = field(default_factory=dict)
    triggers: dict[tuple[str, str], tuple[object, ...]] = field(default_factory=dict)


@cache
def declared() -> Declared:
    """Read the statements of all migrations in the order in which they run; the last one counts."""
    graph = MigrationLoader(None).graph
    found = Declared()
    nodes = dict.fromkeys(node for leaf in graph.leaf_nodes() for node in graph.forwards_plan(leaf))
    for node in nodes:
        for operation in graph.nodes[node].operations:
            if isinstance(operation, RunSQL):
                for statement in _STATEMENT.finditer(_text(operation)):
                    _take(found, statement)
    return found


def problems(cursor: CursorWrapper) -> Iterator[str]:
    """Yield each trigger and function of a migration that has run and that is not there as declared."""
    cursor.execute("SELECT to_regclass('public.django_migrations') IS NULL")
    if cursor.fetchone() == (True,):
        yield "django_migrations is not there: nothing says which guards there have to be"
    yield from _functions(cursor)
    yield from _triggers(cursor)


def _functions(cursor: CursorWrapper) -> Iterator[str]:
    present = declared_functions.present(cursor, "public")
    for name, one in declared().functions.items():
        if present.get(name) != [(*one, OWNER)]:
            yield f"public.{name}: the function is missing or not the declared one"


def _triggers(cursor: CursorWrapper) -> Iterator[str]:
    cursor.execute(
        "SELECT c.relname, t.tgname, t.tgenabled::text, t.tgtype::int, coalesce((SELECT "
        "string_agg(a.attname, ',' ORDER BY a.attname::text COLLATE \"C\") FROM pg_attribute a "
        "WHERE a.attrelid = t.tgrelid AND a.attnum = ANY(t.tgattr)), ''), "
        "t.tgfoid::regproc::text, encode(t.tgargs, 'hex'), "
        "coalesce(substring(pg_get_triggerdef(t.oid) FROM ' WHEN (.*) EXECUTE FUNCTION '), '') "
        "FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
        "WHERE c.relnamespace = to_regnamespace('public') AND NOT t.tgisinternal"
    )
    present = {
        (table, name): (
            enabled,
            kind,
            columns,
            function.removeprefix("public."),
            args,
            _plain(when),
        )
        for table, name, enabled, kind, columns, function, args, when in cursor.fetchall()
    }
    for place, one in declared().triggers.items():
        if present.get(place) != one:
            table, name = place
            yield f"{table}: the guard {name} is missing, disabled or not the declared one"


def _text(operation: Any) -> str:
    parts = [operation.sql] if isinstance(operation.sql, str) else operation.sql
    return "\n".join(one if isinstance(one, str) else one[0] for one in parts)


def _take(found: Declared, statement: re.Match[str]) -> None:
    said = statement.groupdict()
    if name := said["function"]:
        source = said["source"].strip()
        found.functions[name] = (source, *declared_functions.attributes(said["header"]))
    elif name := said["trigger"]:
        found.triggers[said["table"], name] = _trigger(said)
    elif name := said["no_trigger"]:
        found.triggers.pop((said["no_table"], name), None)
    else:
        found.functions.pop(said["no_function"], None)


def _trigger(said: dict[str, str]) -> tuple[object, ...]:
    """Return whether it is enabled, type, columns, function, arguments and condition."""
    kind = _BEFORE if said["when"] == "BEFORE" else 0
    kind |= _ROW if "FOR EACH ROW" in " ".join(said["rest"].split()) else 0
    columns: list[str] = []
    for event in said["events"].split(" OR "):
        name, _, of = event.strip().partition(" OF ")
        kind |= _BITS[name]
        columns += re.findall(r"\w+", of)
    when = re.search(r"\bWHEN\s+(\(.*\))", said["rest"], re.DOTALL)
    arguments = re.findall(r"'([^']*)'", said["args"])
    call = said["call"].removeprefix("public.")
    packed = "".join(f"{one}\0" for one in arguments).encode().hex()
    return "A", kind, ",".join(sorted(columns)), call, packed, _plain(when[1] if when else "")


def _plain(condition: str) -> str:
    """Return a condition without what PostgreSQL adds to it: types, brackets, how a list is written."""
    text = re.sub(r"::[a-z ]+(\[\])?", "", condition.lower())
    text = re.sub(r"\s*=\s*any\s*\(+array\[(.*?)\]\)+", r" in (\1)", text)
    return re.sub(r"[\s()]", "", text)
