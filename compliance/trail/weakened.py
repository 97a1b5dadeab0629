"""Say which rules of controlled tables are gone: keys, checks, what must be there and be unique.

A rule that is dropped for a moment lets in what no act could write before; one that stays away does
so for good. What the models declare is compared with what the database has.
"""

# ruff: noqa: S608 -- of parts of this module, and of tables that the product declares

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache

from django.db import DEFAULT_DB_ALIAS, Error, connections, models
from django.db.backends.utils import CursorWrapper
from django.db.models import CheckConstraint, UniqueConstraint

from compliance.trail import capture

Models = dict[str, type[models.Model]]  # of tables, by name


def problems(cursor: CursorWrapper) -> Iterator[str]:
    """Yield the rules of each controlled table that are missing, not enforced or not as declared."""
    declared = {one._meta.db_table: one for one in capture.models_declared()}
    yield from _keys_off(cursor, list(declared))
    present = _present(cursor, list(declared))
    tables = {table: declared[table] for table in sorted(present)}
    for table, model in tables.items():
        yield from (f"{table}: {problem}" for problem in _missing(present[table], model))
    yield from _other_checks(tables, present)


def _keys_off(cursor: CursorWrapper, tables: list[str]) -> Iterator[str]:
    cursor.execute(
        "SELECT DISTINCT c.relname || ': a foreign key is not enforced' FROM pg_trigger t "
        "JOIN pg_class c ON c.oid = t.tgrelid WHERE c.relnamespace = to_regnamespace('public') "
        "AND c.relname = ANY(%s) AND t.tgconstraint <> 0 AND t.tgisinternal "
        "AND t.tgenabled <> 'O' ORDER BY 1",
        [tables],
    )
    for (problem,) in cursor.fetchall():
        yield problem


@dataclass
class _Table:
    """What the database has of one table."""

    columns: dict[str, tuple[int, bool]] = field(default_factory=dict)  # number, is always filled
    types: list[tuple[str, str, int]] = field(default_factory=list)  # column, type, collation
    names: set[str] = field(default_factory=set)  # of constraints and unique indexes
    foreign: set[tuple[int, ...]] = field(default_factory=set)
    unique: set[tuple[int, ...]] = field(default_factory=set)


_OF_TABLES = (
    "JOIN pg_class t ON t.oid = {of} WHERE t.relnamespace = to_regnamespace('public') "
    "AND t.relname = ANY(%s)"
)


def _present(cursor: CursorWrapper, tables: list[str]) -> dict[str, _Table]:
    found: dict[str, _Table] = defaultdict(_Table)
    cursor.execute(
        "SELECT t.relname::text, attname::text, attnum, attnotnull, "
        "format_type(atttypid, atttypmod), attcollation::bigint FROM pg_attribute "
        + _OF_TABLES.format(of="attrelid")
        + " AND attnum > 0 AND NOT attisdropped ORDER BY attrelid, attnum",
        [tables],
    )
    for table, name, number, is_filled, kind, collation in cursor.fetchall():
        found[table].columns[name] = (number, is_filled)
        found[table].types.append((name, kind, collation))
    cursor.execute(
        "SELECT t.relname::text, conname::text, contype::text, conkey::int[] FROM pg_constraint "
        + _OF_TABLES.format(of="conrelid")
        + " AND convalidated",
        [tables],
    )
    for table, name, kind, key in cursor.fetchall():
        found[table].names.add(name)
        if kind == "f":
            found[table].foreign.add(tuple(key or ()))
    cursor.execute(
        "SELECT t.relname::text, c.relname::text, i.indkey::int[], i.indpred IS NULL "
        "FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
        + _OF_TABLES.format(of="i.indrelid")
        + " AND i.indisunique AND i.indisvalid AND i.indislive",
        [tables],
    )
    for table, name, key, is_whole in cursor.fetchall():
        found[table].names.add(name)
        if is_whole:
            found[table].unique.add(tuple(key))
    return dict(found)


def _missing(present: _Table, model: type[models.Model]) -> Iterator[str]:
    for one in model._meta.constraints:
        if isinstance(one, CheckConstraint | UniqueConstraint) and one.name not in present.names:
            yield f"the rule {one.name} is not there"
    for column in model._meta.local_concrete_fields:
        if column.column not in present.columns:
            continue  # named by the capture
        number, is_filled = present.columns[column.column]
        if not column.null and not is_filled:
            yield f"{column.column} may be empty"
        if column.unique and (number,) not in present.unique:
            yield f"{column.column} may be there twice"
        if (
            column.is_relation
            and getattr(column, "db_constraint", False)
            and (number,) not in present.foreign
        ):
            yield f"{column.column} may name what is not there"


def _other_checks(tables: Models, present: dict[str, _Table]) -> Iterator[str]:
    """Compare each check with one made from its model, in a transaction undone."""
    own = connections[DEFAULT_DB_ALIAS].copy()
    try:
        own.set_autocommit(False)
        with own.cursor() as cursor:
            cursor.execute("SET LOCAL search_path = pg_catalog, public")
            checks = _checks(cursor, tables)
            for table, model in tables.items():
                for name, definition in _declared(cursor, model, present[table]).items():
                    if checks.get((table, name), definition) != definition:
                        yield f"{table}: the rule {name} is not the declared one"
    except Error as error:
        yield f"the rules of tables cannot be compared: {str(error).splitlines()[0]}"
    finally:
        own.close()


def _checks(cursor: CursorWrapper, tables: Iterable[str]) -> dict[tuple[str, str], str]:
    cursor.execute(
        "SELECT t.relname::text, conname::text, pg_get_constraintdef(p.oid) FROM pg_constraint p "
        + _OF_TABLES.format(of="conrelid"),
        [list(tables)],
    )
    return {(table, name): definition for table, name, definition in cursor.fetchall()}


# How the server writes the checks of a model down, over a table of these columns. Making the tables
# that it is asked by takes longer than all else here, and what it answers never changes.
_written: dict[tuple[object, ...], dict[str, str]] = {}


def _declared(cursor: CursorWrapper, model: type[models.Model], found: _Table) -> dict[str, str]:
    """Return the definitions of a model's checks, by name."""
    made = _made(model)
    if not made:
        return {}
    key = (cursor.connection.info.server_version, made, tuple(found.types))
    if key not in _written:
        temporary = f"checks_{model._meta.db_table}"[:63]
        cursor.execute(
            f'CREATE TEMPORARY TABLE "{temporary}" (LIKE public."{model._meta.db_table}", {made})'
        )
        cursor.execute(
            "SELECT conname::text, pg_get_constraintdef(oid) FROM pg_constraint "
            "WHERE conrelid = to_regclass(%s) AND contype = 'c'",
            [f'pg_temp."{temporary}"'],
        )
        _written[key] = dict(cursor.fetchall())
    return _written[key]


@cache
def _made(model: type[models.Model]) -> str:
    """Return the checks of a model as a statement that makes a table has them."""
    checks = [one for one in model._meta.constraints if isinstance(one, CheckConstraint)]
    # It asks the server nothing; what it quotes follows the connection.
    with connections[DEFAULT_DB_ALIAS].schema_editor(collect_sql=True, atomic=False) as editor:
        return ", ".join(str(one.constraint_sql(model, editor)) for one in checks)
