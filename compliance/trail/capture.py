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

from compliance.trail import capture_check, capture_columns, capture_sql, recording
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


class TableRenamed(Exception):
    """A controlled table got another name, and its model does not say the first one."""


def install(connection: BaseDatabaseWrapper, *, only: str = "") -> list[str]:
    """Bring every controlled table's columns, function and triggers up to date; owner's role.

    Returns the tables whose capture was renewed. Rows older than the control get a first entry.
    """
    renewed = []
    with connection.cursor() as cursor:
        wanted = {one.table: one for one in controls() if only in ("", one.table)}
        # Of tables whose own migration has not run yet nothing is said.
        for table, problems in capture_check.problems(cursor, wanted.values()).items():
            if not problems:
                continue
            control = wanted[table]
            _demand_same_record(cursor, control)
            _install(cursor, control)
            _begin_control(connection, cursor, control)
            renewed.append(control.table)
    return renewed


def _demand_same_record(cursor: CursorWrapper, control: Control) -> None:
    cursor.execute(
        "SELECT substring(p.prosrc FROM %s) FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid "
        "WHERE t.tgrelid = to_regclass(%s) AND t.tgname = %s",
        ['"record":"([^"]+)"', f'public."{control.table}"', capture_sql.LAST],
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
    for source in capture_sql.functions_sql(
        capture_columns.columns(cursor, [control])[control.table]
    ):
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
    for name, (timing, which, _) in capture_sql.TRIGGERS.items():
        cursor.execute(
            f"CREATE OR REPLACE TRIGGER {name} {timing.format(table=table)} "
            f"EXECUTE FUNCTION {functions[which]}()"
        )
    always = ", ".join(f"ENABLE ALWAYS TRIGGER {name}" for name in capture_sql.TRIGGERS)
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
