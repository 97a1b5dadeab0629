# ruff: noqa: S608 -- names of tables and columns are our own, from the catalogue and the models
"""Bring the rows of records to where the recovered entries say they were, and compare them.

Without it the next change of such a record would continue from an old state, which is a fork of
the record. What an entry does not hold in clear (a password's hash, a redactable value) cannot come
back from it: those records are named.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.apps import apps
from django.db import connections, models
from django.db.backends.utils import CursorWrapper

from compliance.trail import capture, capture_columns, entry_form
from compliance.trail.capture_columns import Columns

ALIAS = "owner"
EVENTS = "trail_logevent"


@dataclass(frozen=True, kw_only=True)
class Rows:
    """How many records were brought up to date, and which have values that did not come back."""

    count: int
    incomplete: tuple[str, ...]


@dataclass
class _Change:
    """What the entries of one record come to."""

    values: dict[str, Any]
    is_inserted: bool = False
    is_deleted: bool = False
    seq: int = 0
    digest: bytes = b""
    after: str | None = None


class Changes:
    """Entries in order, folded to one change for each record."""

    def __init__(self) -> None:
        self.by_table: dict[str, dict[str, _Change]] = defaultdict(dict)

    def add(self, body: bytes, digest: bytes) -> None:
        """Fold one more entry in; raise what `entry_form.parse` raises."""
        entry = entry_form.parse(body)
        change = self.by_table[entry["record"]].setdefault(entry["record_id"], _Change({}))
        if entry["op"] == "insert":
            change.is_inserted, change.is_deleted, change.values = True, False, {}
        change.is_deleted = entry["op"] == "delete"
        change.values |= entry["new"]
        change.seq, change.digest, change.after = entry["record_seq"], digest, entry["after"]


def apply(cursor: CursorWrapper, changes: Changes) -> Rows:
    """Write the rows with all triggers off, in the transaction under way; the owner's role.

    The captures, for their entries are there; the guards, for they judged these changes when they
    were made, by who made them and by what stood beside them then.
    """
    incomplete: list[str] = []
    controls = {one.table: one for one in capture.controls()}
    known = sorted(changes.by_table.keys() & controls.keys())
    columns = capture_columns.columns(cursor, [controls[table] for table in known])
    found = {table: one for table, one in columns.items() if one.types}
    unknown = changes.by_table.keys() - found.keys()
    incomplete += [f"{table} (no such table)" for table in sorted(unknown)]
    if EVENTS in found:  # DDL is told of by rows of this table, which must not have their keys
        _pass(cursor, EVENTS, max(map(int, changes.by_table[EVENTS])))
    triggers = {table: _triggers(cursor, table) for table in _last(found)}
    # All of them first: a table with foreign keys still to be checked cannot be altered.
    for table, names in triggers.items():
        _switch(cursor, table, "DISABLE", names)
    if EVENTS in found:
        _write_all(cursor, found[EVENTS], changes.by_table[EVENTS], incomplete)
        _switch(cursor, EVENTS, "ENABLE ALWAYS", triggers.pop(EVENTS))
    for table in triggers:
        _write_all(cursor, found[table], changes.by_table[table], incomplete)
        _advance_sequence(cursor, found[table])
    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    for table, names in triggers.items():
        _switch(cursor, table, "ENABLE ALWAYS", names)
    count = sum(len(changes.by_table[table]) for table in found)
    return Rows(count=count, incomplete=tuple(incomplete))


def _last(tables: Iterable[str]) -> list[str]:
    """Return the tables with that of log events at the end: while it is off, no DDL can be told."""
    return sorted(tables, key=lambda table: (table == EVENTS, table))


def _triggers(cursor: CursorWrapper, table: str) -> list[str]:
    """Return the captures and guards of a table; the keys to other tables stay on."""
    cursor.execute(
        "SELECT tgname FROM pg_trigger WHERE tgrelid = to_regclass(%s) "
        "AND NOT tgisinternal AND tgenabled = 'A' ORDER BY 1",
        [f'public."{table}"'],
    )
    return [name for (name,) in cursor.fetchall()]


def _switch(cursor: CursorWrapper, table: str, way: str, triggers: list[str]) -> None:
    """Switch all triggers of a table in one command: a capture in two parts is never half there."""
    each = ", ".join(f'{way} TRIGGER "{name}"' for name in triggers)
    cursor.execute(f'ALTER TABLE public."{table}" {each}')


def _write_all(
    cursor: CursorWrapper, columns: Columns, changes: Mapping[str, _Change], incomplete: list[str]
) -> None:
    present = _present(cursor, columns.control.table)
    for record_id, change in changes.items():
        _write(cursor, columns, record_id, change, present)
        if different := _different(cursor, columns, record_id, change):
            incomplete.append(f"{columns.control.table} {record_id}: {', '.join(different)}")


def _present(cursor: CursorWrapper, table: str) -> frozenset[str]:
    """Return the names of all columns of a table, also of those that no entry has."""
    cursor.execute(
        "SELECT attname::text FROM pg_attribute WHERE attrelid = to_regclass(%s) "
        "AND attnum > 0 AND NOT attisdropped",
        [f'public."{table}"'],
    )
    return frozenset(name for (name,) in cursor.fetchall())


def _write(
    cursor: CursorWrapper,
    columns: Columns,
    record_id: str,
    change: _Change,
    present: frozenset[str],
) -> None:
    """Write one row, as far as the entries hold its values in clear."""
    table, pk = f'public."{columns.control.table}"', f'"{columns.control.pk}"'
    if change.is_deleted:
        cursor.execute(f"DELETE FROM {table} WHERE {pk}::text = %s", [record_id])
        return
    # A row that the copy of the database has, although its first entry was not sealed yet.
    cursor.execute(f"SELECT EXISTS (SELECT FROM {table} WHERE {pk}::text = %s)", [record_id])
    is_there = cursor.fetchone() == (True,)
    control = columns.control
    closed = [
        name
        for name in change.values
        if name in (*control.digest_only, *control.redactable) and change.values[name] is not None
    ]
    # A copy from before a migration lacks columns: what was in them is named, as all that is missing.
    known = {
        name: value
        for name, value in change.values.items()
        if name in columns.types and name not in closed
    }
    values = {name: _parameter(columns.types[name], value) for name, value in known.items()}
    values |= {"audit_seq": ("%s", change.seq), "audit_head": ("%s", change.digest)}
    if is_there:
        sets = ", ".join(f'"{name}" = {form}' for name, (form, _) in values.items())
        cursor.execute(
            f"UPDATE {table} SET {sets} WHERE {pk}::text = %s",
            [*(value for _, value in values.values()), record_id],
        )
    else:
        values = _defaults(columns, present.difference(values)) | values
        names = ", ".join(f'"{name}"' for name in values)
        forms = ", ".join(form for form, _ in values.values())
        cursor.execute(
            f"INSERT INTO {table} ({names}) OVERRIDING SYSTEM VALUE VALUES ({forms})",
            [value for _, value in values.values()],
        )


def _parameter(kind: str, value: Any) -> tuple[str, Any]:
    """Return how a canonical value is written in SQL: the reverse of `capture_sql`."""
    if value is None:
        return "%s", None
    if kind == "bytea":
        return "decode(%s, 'hex')", value
    if kind == "interval":
        # As Django writes it, in days and seconds: the digest of the row knows the difference.
        return "%s", timedelta(microseconds=int(Decimal(value) * 10**6))
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"%s::{kind}", text


def _defaults(columns: Columns, missing: frozenset[str]) -> dict[str, tuple[str, Any]]:
    """Return the model's own defaults for what no entry has: ignored and secret columns."""
    connection = connections[ALIAS]
    found = {}
    for field in _model(columns.control.table)._meta.concrete_fields:
        if field.column in missing and not field.generated:
            default = field.get_db_prep_save(field.get_default(), connection)
            if default is None and not field.null and field.empty_strings_allowed:
                default = ""
            found[str(field.column)] = ("%s", default)
    return found


def _model(table: str) -> type[models.Model]:
    return next(
        one for one in apps.get_models(include_auto_created=True) if one._meta.db_table == table
    )


def _different(
    cursor: CursorWrapper, columns: Columns, record_id: str, change: _Change
) -> list[str]:
    """Name what is not as the entries say; `row` is for the digest that only the row can give."""
    table, pk = f'public."{columns.control.table}"', f'"{columns.control.pk}"'
    cursor.execute(
        f"SELECT {columns.row('t')}::json, {columns.digest('t')} FROM {table} t ".replace("%", "%%")
        + f"WHERE {pk}::text = %s",
        [record_id],
    )
    found = cursor.fetchone()
    if change.is_deleted or found is None:
        return [] if change.is_deleted and found is None else ["row"]
    values, digest = found
    # A redactable value has a commitment with another salt; null is null.
    different = [
        name
        for name, value in change.values.items()
        if (value is not None if name in columns.control.redactable else values.get(name) != value)
    ]
    if not different and change.after not in (None, digest):
        different.append("row")
    return different


def _advance_sequence(cursor: CursorWrapper, columns: Columns) -> None:
    """Move the table's sequence past the identities that were given out and lost."""
    table, pk = columns.control.table, columns.control.pk
    cursor.execute("SELECT pg_get_serial_sequence(%s, %s)", [f'public."{table}"', pk])
    if cursor.fetchone() != (None,):
        cursor.execute(f'SELECT max("{pk}") FROM public."{table}"')
        (last,) = cursor.fetchone()
        _pass(cursor, table, last, pk)


def _pass(cursor: CursorWrapper, table: str, last: int | None, pk: str = "id") -> None:
    cursor.execute("SELECT pg_get_serial_sequence(%s, %s)", [f'public."{table}"', pk])
    (sequence,) = cursor.fetchone()
    cursor.execute(
        f"SELECT setval(%s, greatest(%s::bigint, (SELECT last_value FROM {sequence})))",
        [sequence, last],
    )
