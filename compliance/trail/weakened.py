"""Say which rules of controlled tables are gone: keys, checks, what must be there and be unique.

A rule that is dropped for a moment lets in what no act could write before; one that stays away does
so for good. What the models declare is compared with what the database has.
"""

from collections.abc import Iterator

from django.db import DEFAULT_DB_ALIAS, Error, connections, models
from django.db.backends.utils import CursorWrapper
from django.db.models import CheckConstraint, UniqueConstraint

from compliance.trail import capture


def problems(cursor: CursorWrapper) -> Iterator[str]:
    """Yield the rules of each controlled table that are missing, not enforced or not as declared."""
    tables = {model._meta.db_table: model for model in capture.models_declared()}
    yield from _keys_off(cursor, list(tables))
    for table, model in sorted(tables.items()):
        cursor.execute("SELECT to_regclass(%s)::oid", [f'public."{table}"'])
        (oid,) = cursor.fetchone()
        if oid is not None:
            yield from (f"{table}: {problem}" for problem in _missing(cursor, oid, model))
    yield from _other_checks(tables)


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


def _missing(cursor: CursorWrapper, oid: int, model: type[models.Model]) -> Iterator[str]:
    cursor.execute(
        "SELECT attname::text, attnum, attnotnull FROM pg_attribute "
        "WHERE attrelid = %s AND attnum > 0 AND NOT attisdropped",
        [oid],
    )
    columns = {name: (number, is_filled) for name, number, is_filled in cursor.fetchall()}
    cursor.execute(
        "SELECT conname::text, contype::text, conkey::int[] FROM pg_constraint "
        "WHERE conrelid = %s AND convalidated",
        [oid],
    )
    constraints = cursor.fetchall()
    cursor.execute(
        "SELECT c.relname::text, i.indkey::int[], i.indpred IS NULL FROM pg_index i "
        "JOIN pg_class c ON c.oid = i.indexrelid "
        "WHERE i.indrelid = %s AND i.indisunique AND i.indisvalid AND i.indislive",
        [oid],
    )
    indexes = cursor.fetchall()
    names = {name for name, *_ in (*constraints, *indexes)}
    foreign = {tuple(key or ()) for _, kind, key in constraints if kind == "f"}
    unique = {tuple(key) for _, key, is_whole in indexes if is_whole}
    for one in model._meta.constraints:
        if isinstance(one, CheckConstraint | UniqueConstraint) and one.name not in names:
            yield f"the rule {one.name} is not there"
    for field in model._meta.local_concrete_fields:
        if field.column not in columns:
            continue  # named by the capture
        number, is_filled = columns[field.column]
        if not field.null and not is_filled:
            yield f"{field.column} may be empty"
        if field.unique and (number,) not in unique:
            yield f"{field.column} may be there twice"
        if (
            field.is_relation
            and getattr(field, "db_constraint", False)
            and (number,) not in foreign
        ):
            yield f"{field.column} may name what is not there"


def _other_checks(tables: dict[str, type[models.Model]]) -> Iterator[str]:
    """Compare each check with one made a moment ago from its model, in a transaction undone."""
    own = connections[DEFAULT_DB_ALIAS].copy()
    try:
        own.set_autocommit(False)
        with own.cursor() as cursor, own.schema_editor(collect_sql=True, atomic=False) as editor:
            cursor.execute("SET LOCAL search_path = pg_catalog, public")
            for number, (table, model) in enumerate(sorted(tables.items())):
                checks = [
                    one for one in model._meta.constraints if isinstance(one, CheckConstraint)
                ]
                cursor.execute("SELECT to_regclass(%s) IS NULL", [f'public."{table}"'])
                if not checks or cursor.fetchone() == (True,):
                    continue
                made = ", ".join(str(one.constraint_sql(model, editor)) for one in checks)
                cursor.execute(
                    f'CREATE TEMPORARY TABLE checks_{number} (LIKE public."{table}", {made})'
                )
                cursor.execute(
                    "SELECT conname FROM pg_constraint p WHERE conrelid = to_regclass(%s) "
                    "AND contype = 'c' AND EXISTS (SELECT FROM pg_constraint q "
                    "WHERE q.conrelid = to_regclass(%s) AND q.conname = p.conname "
                    "AND pg_get_constraintdef(q.oid) <> pg_get_constraintdef(p.oid))",
                    [f"pg_temp.checks_{number}", f'public."{table}"'],
                )
                for (name,) in cursor.fetchall():
                    yield f"{table}: the rule {name} is not the declared one"
    except Error as error:
        yield f"the rules of tables cannot be compared: {str(error).splitlines()[0]}"
    finally:
        own.close()
