"""Alter one value of every column of every controlled table, as a superuser whom no trigger sees.

Runs in a process of the installation itself. Each pass works on a copy of its database, and alters
each row in one column at most, so that each row has to be named.
"""

import json
from collections.abc import Iterator
from typing import Any

import psycopg
from django.apps import apps
from django.db import connections
from psycopg import sql

from compliance.trail import capture, capture_columns, verification
from compliance.trail.capture_columns import Columns
from tests import conftest
from tests.attacks import colluding

COPY = "gmp_altered"
_TEXT = ("{0} || 'x'", "overlay({0} placing 'y' from 1 for 1)", "left({0}, -1)")
_NUMBER = ("{0} + 1", "{0} - 1", "{0} + 100000")
OTHERS = {
    "boolean": ("NOT {0}",), "date": ("{0} + 1",), "uuid": ("gen_random_uuid()",),
    "integer": _NUMBER, "bigint": _NUMBER, "smallint": _NUMBER, "numeric": ("{0} + 0.001", *_NUMBER),
    "timestamp with time zone": ("{0} + interval '1 microsecond'", "{0} - interval '1 microsecond'"),
    "bytea": ("set_byte({0}, 0, (get_byte({0}, 0) + 1) % 256)", "{0} || '\\x00'"),
    "inet": ("{0} + 1",), "interval": ("{0} + interval '1 second'",),
}  # fmt: skip
FILLED = {
    "boolean": "true", "date": "current_date", "uuid": "gen_random_uuid()", "bytea": "'\\x01'",
    "timestamp with time zone": "now()", "inet": "'10.9.8.7'", "interval": "'1 second'",
    "integer": "7", "bigint": "7", "smallint": "7", "numeric": "7",
}  # fmt: skip
Altered = dict[tuple[str, str], str]  # record and id, and the column


def sweep() -> None:
    """Print how many values were altered, which rows were not named, and what could not be altered."""
    with connections["owner"].cursor() as cursor:
        found = capture_columns.columns(cursor, list(capture.controls()))
    connections.close_all()  # a database is copied while nobody uses it
    left = {table: sorted(one.types) for table, one in found.items()}  # those of tests have none
    count, unseen, refused = 0, [], []
    while any(left.values()):
        conftest._drop(COPY)
        conftest._copy(connections["default"].settings_dict["NAME"], COPY)
        with conftest.pointed_at(COPY):
            with conftest.administrator(COPY) as superuser, colluding.silenced(superuser) as silent:
                altered: Altered = {}
                for table in (table for table, columns in left.items() if columns):
                    left[table] = _pass(silent, found[table], left[table], altered, refused)
            named = {one.record for one in verification.verify().faults if one.record}
        count += len(altered)
        unseen += [f"{key} {column}" for key, column in altered.items() if _name(key) not in named]
    conftest._drop(COPY)
    print(json.dumps({"altered": count, "unseen": unseen, "refused": refused}))


def _pass(
    silent: psycopg.Connection[Any], one: Columns, columns: list[str], altered: Altered,
    refused: list[str],
) -> list[str]:  # fmt: skip
    """Alter one row for each of these columns while there are rows; return the columns left."""
    control = one.control
    table, pk = sql.Identifier(control.table), sql.Identifier(control.pk)
    rows = [
        str(row[0])
        for row in silent.execute(sql.SQL("SELECT {}::text FROM {} ORDER BY 1").format(pk, table))
    ]
    left = columns[len(rows) :] if rows else []
    for column, row in zip(columns, rows, strict=False):
        if _altered(silent, one, column, row):
            altered[control.record, row] = column
        else:
            refused.append(f"{control.record}.{column}")
    return left


def _altered(silent: psycopg.Connection[Any], one: Columns, column: str, row: str) -> bool:
    control, name = one.control, sql.Identifier(column)
    for way in _ways(control.table, column, one.types[column]):
        new = sql.SQL(way).format(name)  # type: ignore[arg-type] -- of our own
        statement = sql.SQL(
            "UPDATE {table} SET {name} = {new} WHERE {pk}::text = {row} "
            "AND ({new}) IS DISTINCT FROM {name}"
        ).format(
            table=sql.Identifier(control.table), name=name, new=new,
            pk=sql.Identifier(control.pk), row=sql.Literal(row),
        )  # fmt: skip
        try:
            with silent.transaction():
                if silent.execute(statement).rowcount == 1:
                    return True
        except psycopg.Error:
            continue  # a rule of the table: another value
    return False


def _ways(table: str, column: str, kind: str) -> Iterator[str]:
    """Yield values that a column may have instead: of a choice each other one."""
    model = next((one for one in apps.get_models() if one._meta.db_table == table), None)
    fields = model._meta.concrete_fields if model else ()
    for field in fields:
        if field.column == column and field.flatchoices:
            yield from (sql.Literal(str(value)).as_string() for value, _ in field.flatchoices)
    base = kind.partition("(")[0]
    yield from OTHERS.get(base, _TEXT)
    yield FILLED.get(base, "'planted'")


def _name(key: tuple[str, str]) -> str:
    return " ".join(key)
