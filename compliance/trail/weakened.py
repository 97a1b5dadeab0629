"""Say which rules of controlled tables are gone: keys, checks, what must be there and be unique.

A rule that is dropped for a moment lets in what no act could write before; one that stays away does
so for good. What the models declare is compared with what the database has.
"""

# ruff: noqa: S608 -- of parts of this module, and of tables that the product declares

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

from django.db import DEFAULT_DB_ALIAS, Error, connections, models
from django.db.backends.utils import CursorWrapper
from django.db.models import CheckConstraint, UniqueConstraint

from compliance.trail import capture

Models = dict[str, type[models.Model]]  # of tables, by name


def problems(cursor: CursorWrapper) -> Iterator[str]:
    """Yield the rules of each controlled table that are missing, not enforced or not as declared."""
    declared = {one._meta.db_table: one for one in capture.models_declared()}
    yield from _keys_off(cursor, list(declared))
    yield from _overlooked(cursor, list(declared))
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


def _overlooked(cursor: CursorWrapper, tables: list[str]) -> Iterator[str]:
    """Yield the tables whose rules are there, and of which the catalogue says that they have none."""
    cursor.execute(
        "SELECT t.relname || ': ' || problem FROM pg_class t CROSS JOIN LATERAL (VALUES "
        "('a check is not enforced', t.relchecks <> (SELECT count(*) FROM pg_constraint "
        "WHERE conrelid = t.oid AND contype = 'c')), "
        "('no index of it is kept', NOT t.relhasindex AND EXISTS "
        "(SELECT FROM pg_index WHERE indrelid = t.oid))) found (problem, is_so) "
        "WHERE is_so AND t.relnamespace = to_regnamespace('public') AND t.relname = ANY(%s) "
        "ORDER BY 1",
        [tables],
    )
    for (problem,) in cursor.fetchall():
        yield problem


@dataclass
class _Table:
    """What the database has of one table."""

    columns: dict[str, tuple[int, bool]] = field(default_factory=dict)  # number, is always filled
    types: list[tuple[str, str, int]] = field(default_factory=list)  # column, type, collation
    checks: set[str] = field(default_factory=set)  # names of constraints
    foreign: set[tuple[int, str, str]] = field(default_factory=set)  # column; table, its column
    unique: dict[str, "_Unique"] = field(default_factory=dict)  # by the name of the index


class _Unique(NamedTuple):
    """The columns that are together there once, in all rows or in those of a condition."""

    key: tuple[int, ...]
    is_whole: bool


_OF_TABLES = (
    "JOIN pg_class t ON t.oid = {of} WHERE t.relnamespace = to_regnamespace('public') "
    "AND t.relname = ANY(%s)"
)

# Of an index that is kept and asked, at once or by a trigger at the end; and nobody's operators decide
# what is equal but PostgreSQL's own.
_IS_UNIQUE = (
    "i.indisunique AND i.indisvalid AND i.indislive AND i.indisready "
    "AND 16384 > ALL (i.indclass::oid[]::bigint[]) AND (i.indimmediate OR EXISTS (SELECT "
    "FROM pg_constraint o JOIN pg_trigger g ON g.tgconstraint = o.oid "
    "WHERE o.conindid = i.indexrelid AND o.condeferrable AND g.tgenabled = 'O'))"
)
# Of a key to another table: two triggers look at the one table, two at the other.
_IS_ASKED = (
    "(contype <> 'f' OR 4 <= (SELECT count(*) FROM pg_trigger g "
    "WHERE g.tgconstraint = k.oid AND g.tgisinternal AND g.tgenabled = 'O'))"
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
        "SELECT t.relname::text, conname::text, contype::text, conkey::int[], "
        "CASE WHEN r.relnamespace = t.relnamespace THEN r.relname::text END, a.attname::text "
        "FROM pg_constraint k LEFT JOIN pg_class r ON r.oid = confrelid "
        "LEFT JOIN pg_attribute a ON attrelid = confrelid AND ARRAY[attnum] = confkey "
        + _OF_TABLES.format(of="conrelid")
        + f" AND convalidated AND {_IS_ASKED}",
        [tables],
    )
    for table, name, kind, key, other, column in cursor.fetchall():
        if kind == "c":
            found[table].checks.add(name)
        elif kind == "f" and len(key) == 1:
            found[table].foreign.add((key[0], other, column))
    cursor.execute(
        "SELECT t.relname::text, c.relname::text, i.indkey::int[], i.indnkeyatts::int, "
        "i.indpred IS NULL FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
        + _OF_TABLES.format(of="i.indrelid")
        + f" AND {_IS_UNIQUE}",
        [tables],
    )
    for table, name, key, count, is_whole in cursor.fetchall():
        found[table].unique[name] = _Unique(tuple(key[:count]), is_whole)
    return dict(found)


def _missing(present: _Table, model: type[models.Model]) -> Iterator[str]:
    for one in model._meta.constraints:
        if isinstance(one, CheckConstraint) and one.name not in present.checks:
            yield f"the rule {one.name} is not there"
        elif isinstance(one, UniqueConstraint):
            yield from _not_unique(present, model, one)
    whole = {one.key for one in present.unique.values() if one.is_whole}
    for names in model._meta.unique_together:
        if _key(present, model, names) not in whole:
            yield f"{', '.join(names)} may be there twice"
    for column in model._meta.local_concrete_fields:
        if column.column not in present.columns:
            continue  # named by the capture
        number, is_filled = present.columns[column.column]
        if not column.null and not is_filled:
            yield f"{column.column} may be empty"
        if column.unique and (number,) not in whole:
            yield f"{column.column} may be there twice"
        if isinstance(column, models.ForeignKey) and getattr(column, "db_constraint", True):
            other = column.target_field
            if (number, other.model._meta.db_table, other.column) not in present.foreign:
                yield f"{column.column} may name what is not there"


def _not_unique(present: _Table, model: type[models.Model], one: UniqueConstraint) -> Iterator[str]:
    """Say what is wrong with a unique rule; what its condition says is compared with the checks."""
    found = present.unique.get(one.name)
    if found is None:
        yield f"the rule {one.name} is not there"
        return
    is_same = not one.fields or found.key == _key(present, model, one.fields)
    if not is_same or found.is_whole != (one.condition is None):
        yield f"the rule {one.name} is not the declared one"


def _key(present: _Table, model: type[models.Model], names: Iterable[str]) -> tuple[int, ...]:
    """Return the numbers of the columns of fields; 0 for one that is not there."""
    columns = {one.name: str(one.column) for one in model._meta.local_concrete_fields}
    return tuple(present.columns.get(columns[name], (0, False))[0] for name in names)


def _other_checks(tables: Models, present: dict[str, _Table]) -> Iterator[str]:
    """Compare each check with one made from its model, in a transaction undone."""
    own = connections[DEFAULT_DB_ALIAS].copy()
    try:
        own.set_autocommit(False)
        with own.cursor() as cursor:
            cursor.execute("SET LOCAL search_path = pg_catalog, public")
            checks, conditions = _checks(cursor, tables), _conditions(cursor, tables)
            for table, model in tables.items():
                of_indexes = _partial(model)
                for name, definition in _declared(cursor, model, present[table]).items():
                    found = conditions if name in of_indexes else checks
                    if found.get((table, name), definition) != definition:
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


def _conditions(cursor: CursorWrapper, tables: Iterable[str]) -> dict[tuple[str, str], str]:
    """Return the conditions of unique indexes, each as a check that says it."""
    cursor.execute(
        "SELECT t.relname::text, c.relname::text, "
        "'CHECK (' || pg_get_expr(i.indpred, i.indrelid) || ')' "
        "FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
        + _OF_TABLES.format(of="i.indrelid")
        + f" AND i.indpred IS NOT NULL AND {_IS_UNIQUE}",
        [list(tables)],
    )
    return {(table, name): condition for table, name, condition in cursor.fetchall()}


def _partial(model: type[models.Model]) -> dict[str, models.Q]:
    """Return the conditions of unique rules that hold for some rows only, by name."""
    return {
        one.name: one.condition
        for one in model._meta.constraints
        if isinstance(one, UniqueConstraint) and one.condition is not None
    }


# How the server writes the checks of a model down, over a table of these columns. Making the tables
# that it is asked by takes longer than all else here, and what it answers never changes.
_written: dict[tuple[object, ...], dict[str, str]] = {}


def _declared(cursor: CursorWrapper, model: type[models.Model], found: _Table) -> dict[str, str]:
    """Return the definitions of a model's checks, and of conditions of unique rules, by name."""
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
    """Return checks and conditions of a model, as a statement that makes a table has them."""
    checks = [one for one in model._meta.constraints if isinstance(one, CheckConstraint)]
    checks += [CheckConstraint(name=name, condition=one) for name, one in _partial(model).items()]
    # It asks the server nothing; what it quotes follows the connection.
    with connections[DEFAULT_DB_ALIAS].schema_editor(collect_sql=True, atomic=False) as editor:
        return ", ".join(str(one.constraint_sql(model, editor)) for one in checks)
