"""Declare which tables are controlled, and keep the triggers that enforce it in the database.

A controlled table changes only inside an act (`recording`), and each changed row writes one
self-contained entry in the same transaction. The trigger's code is generated from the table's
columns, so that the canonical bytes are made by the database from what it really stores.
"""

from collections.abc import Callable, Iterator
from typing import TypeVar

from django.apps import apps
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from compliance.trail import capture_columns, capture_sql, recording
from compliance.trail.actions import Action
from compliance.trail.capture_columns import Control
from compliance.trail.recording import System

_declared: dict[type[models.Model], dict[str, object]] = {}
M = TypeVar("M", bound=type[models.Model])


def controlled(
    *,
    append_only: bool = False,
    deletable: bool = False,
    ignored: tuple[str, ...] = (),
    digest_only: tuple[str, ...] = (),
    redactable: tuple[str, ...] = (),
    record: str = "",
    guards: tuple[str, ...] = (),
) -> Callable[[M], M]:
    """Declare a model (or an m2m `through` model) controlled; the next `migrate` enforces it.

    `record` is for a table that was renamed: the name it had when its control began, under which
    the trail goes on. `guards` are the triggers that the table's own migrations make: any other
    could change a row, or the act, before the capture sees it.
    """

    def declare(model: M) -> M:
        _declared[model] = {
            "append_only": append_only,
            "deletable": deletable,
            "ignored": ignored,
            "digest_only": digest_only,
            "redactable": redactable,
            "record": record,
            "guards": guards,
        }
        return model

    return declare


def controls() -> Iterator[Control]:
    """Yield every declared control, by table name."""
    found = []
    for model, options in _declared.items():
        current = apps.get_model(model._meta.label)
        pk = current._meta.pk
        found.append(Control(table=current._meta.db_table, pk=pk.column, **options))  # type: ignore[arg-type]
    yield from sorted(found, key=lambda control: control.table)


def models_declared() -> list[type[models.Model]]:
    """Return the models that are controlled."""
    return [apps.get_model(model._meta.label) for model in _declared]


def control_of(model: type[models.Model]) -> Control | None:
    """Return how a model is controlled, or None when it is not."""
    table = model._meta.db_table
    return next((control for control in controls() if control.table == table), None)


def record_of(model: type[models.Model]) -> str:
    """Return what entries call the records of a model."""
    return str(_declared.get(model, {}).get("record") or model._meta.db_table)


def redactable_paths() -> list[str]:
    """Return every value that may be erased one day, as redactions name it."""
    return sorted(
        f"{control.record}.{column}" for control in controls() for column in control.redactable
    )


# Named to run after every other BEFORE trigger of the table: triggers fire in order of name.
LAST = "zz_capture"
# Each trigger: when it fires, which of the two functions it calls (capture_sql.function_names),
# and pg_trigger.tgtype of it: ROW 1, BEFORE 2, INSERT 4, DELETE 8, UPDATE 16, TRUNCATE 32.
TRIGGERS = {
    "zz_capture": ("BEFORE INSERT OR UPDATE OR DELETE ON {table} FOR EACH ROW", 0, 31),
    "zz_capture_insert": (
        "AFTER INSERT ON {table} REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT", 1, 4,
    ),
    "zz_capture_truncate": ("BEFORE TRUNCATE ON {table} FOR EACH STATEMENT", 0, 34),
}  # fmt: skip


class TableRenamed(Exception):
    """A controlled table got another name, and its model does not say the first one."""


def install(connection: BaseDatabaseWrapper, *, only: str = "") -> list[str]:
    """Bring every controlled table's columns, function and triggers up to date; owner's role.

    Returns the tables whose capture was renewed. Rows older than the control get a first entry.
    """
    renewed = []
    with connection.cursor() as cursor:
        for control in controls():
            if only not in ("", control.table):
                continue
            cursor.execute("SELECT to_regclass(%s) IS NULL", [f'public."{control.table}"'])
            if cursor.fetchone() == (True,):
                continue  # its own migration has not run yet
            if not problems(cursor, control):
                continue
            _demand_same_record(cursor, control)
            _install(cursor, control)
            _begin_control(connection, cursor, control)
            renewed.append(control.table)
    return renewed


def _demand_same_record(cursor: CursorWrapper, control: Control) -> None:
    cursor.execute(
        "SELECT substring(p.prosrc FROM %s) FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid "
        "WHERE t.tgrelid = to_regclass(%s) AND t.tgname = %s",
        ['"record":"([^"]+)"', f'public."{control.table}"', LAST],
    )
    for (record,) in cursor.fetchall():
        if record not in (None, control.record):
            raise TableRenamed(
                f"{control.table} has its history under the name {record}: declare "
                f'controlled(record="{record}") on its model, so that the trail goes on there'
            )


def _install(cursor: CursorWrapper, control: Control) -> None:
    """Write columns, functions and triggers; in few statements, since each is an entry of the log."""
    table = f'public."{control.table}"'
    functions = capture_sql.function_names(control.table)
    cursor.execute(
        "SELECT count(*) = 2 FROM pg_attribute WHERE attrelid = to_regclass(%s) "
        "AND attname = ANY(%s) AND NOT attisdropped",
        [table, list(capture_columns.AUDIT_COLUMNS)],
    )
    if cursor.fetchone() != (True,):
        cursor.execute(
            f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS audit_seq bigint NOT NULL DEFAULT 0,"
            " ADD COLUMN IF NOT EXISTS audit_head bytea NOT NULL DEFAULT ''"
        )
    cursor.execute("SET LOCAL ROLE gmp_trail")
    for source in capture_sql.functions_sql(capture_columns.columns(cursor, control)):
        cursor.execute(source)
    cursor.execute(
        "SELECT bool_or(has_function_privilege('public', one, 'EXECUTE') "
        "OR NOT has_function_privilege('gmp_owner', one, 'EXECUTE')) FROM unnest(%s::text[]) one",
        [[f"{function}()" for function in functions]],
    )
    if cursor.fetchone() == (True,):
        cursor.execute(f"REVOKE ALL ON FUNCTION {', '.join(functions)} FROM PUBLIC")
        cursor.execute(f"GRANT EXECUTE ON FUNCTION {', '.join(functions)} TO gmp_owner")
    cursor.execute("SET LOCAL ROLE gmp_owner")
    for name, (timing, which, _) in TRIGGERS.items():
        cursor.execute(
            f"CREATE OR REPLACE TRIGGER {name} {timing.format(table=table)} "
            f"EXECUTE FUNCTION {functions[which]}()"
        )
    always = ", ".join(f"ENABLE ALWAYS TRIGGER {name}" for name in TRIGGERS)
    cursor.execute(f"ALTER TABLE {table} {always}")


def _begin_control(
    connection: BaseDatabaseWrapper, cursor: CursorWrapper, control: Control
) -> None:
    table = f'public."{control.table}"'
    cursor.execute(f"SELECT EXISTS (SELECT FROM {table} WHERE audit_seq = 0)")  # noqa: S608
    if cursor.fetchone() == (True,):
        with recording.recording(
            Action.CONTROL_BEGUN,
            actor=System("migrate"),
            at=timezone.now(),
            reason=f"rows of {control.table} are older than its control",
            using=connection.alias,
        ):
            cursor.execute(f"UPDATE {table} SET audit_seq = 0 WHERE audit_seq = 0")  # noqa: S608


def problems(cursor: CursorWrapper, control: Control) -> list[str]:
    """Say what is missing or altered in the capture of one table; empty when it is as declared."""
    return [
        f"{control.table}: {problem}"
        for problem in (
            *_trigger_problems(cursor, control),
            *_function_problems(cursor, control),
            *_bypass_problems(cursor, control),
        )
    ]


def _trigger_problems(cursor: CursorWrapper, control: Control) -> Iterator[str]:
    functions = capture_sql.function_names(control.table)
    cursor.execute(
        "SELECT tgname, tgenabled::text, "
        "coalesce(array_position(ARRAY[to_regprocedure(%s), to_regprocedure(%s)]::oid[], tgfoid), "
        "0) - 1, tgtype::int, tgqual IS NULL AND tgattr = '' AND tgnargs = 0 "
        "AND tgoldtable IS NULL AND tgnewtable IS NOT DISTINCT FROM "
        "CASE WHEN tgtype = 4 THEN 'inserted'::name END "
        "FROM pg_trigger WHERE tgrelid = to_regclass(%s)",
        [*(f"{function}()" for function in functions), f'public."{control.table}"'],
    )
    present = {name: rest for name, *rest in cursor.fetchall()}
    for name, (_, which, kind) in TRIGGERS.items():
        if name not in present:
            yield f"trigger {name} is missing"
            continue
        enabled, calls, found_kind, is_unconditional = present[name]
        if calls != which:
            yield f"trigger {name} calls another function"
        if enabled != "A":
            yield f"trigger {name} is not ENABLE ALWAYS"
        if found_kind != kind or not is_unconditional:
            yield f"trigger {name} fires under other conditions than declared"


def _function_problems(cursor: CursorWrapper, control: Control) -> Iterator[str]:
    expected = capture_sql.functions_sql(capture_columns.columns(cursor, control))
    for name, declared in zip(capture_sql.function_names(control.table), expected, strict=True):
        cursor.execute(
            "SELECT prosrc, prosecdef, proconfig, pg_get_userbyid(proowner) "
            "FROM pg_proc WHERE oid = to_regprocedure(%s)",
            [f"{name}()"],
        )
        row = cursor.fetchone()
        source = declared.split("$capture$")[1].strip()
        if row is None or row[0].strip() != source:
            yield f"the capture function {name} is missing or not the declared one"
        elif row[1:] != (True, ["search_path=pg_catalog, pg_temp"], "gmp_trail"):
            yield f"the capture function {name} runs as somebody else or with another search path"


def _bypass_problems(cursor: CursorWrapper, control: Control) -> Iterator[str]:
    """Find what would change a row after the capture saw it, or lead a statement elsewhere."""
    cursor.execute(
        "SELECT 'trigger ' || tgname || CASE WHEN tgtype & 3 = 3 AND tgname > %(last)s "
        "THEN ' runs after the capture' ELSE ' is declared by nobody' END FROM pg_trigger "
        # Only the checks of keys are PostgreSQL's own, whatever a trigger says of itself.
        "WHERE tgrelid = to_regclass(%(table)s) AND NOT (tgisinternal AND EXISTS (SELECT "
        "FROM pg_proc p WHERE p.oid = tgfoid AND p.oid < 16384 AND (p.proname LIKE %(keys)s "
        "OR p.proname = 'unique_key_recheck'))) AND NOT tgname = ANY(%(ours)s) "
        "UNION ALL SELECT 'rule ' || rulename || ' rewrites statements' FROM pg_rewrite "
        "WHERE ev_class = to_regclass(%(table)s) "
        "UNION ALL SELECT 'table ' || inhrelid::regclass || ' inherits from it' FROM pg_inherits "
        "WHERE inhparent = to_regclass(%(table)s)",
        {"table": f'public."{control.table}"', "last": LAST, "keys": r"RI\_FKey\_%",
         "ours": [*TRIGGERS, *control.guards]},
    )  # fmt: skip
    for (problem,) in cursor.fetchall():
        yield problem
