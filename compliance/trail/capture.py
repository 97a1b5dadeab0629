"""Declare which tables are controlled, and keep the triggers that enforce it in the database.

A controlled table changes only inside an act (`recording`), and each changed row writes one
self-contained entry in the same transaction. The trigger's code is generated from the table's
columns, so that the canonical bytes are made by the database from what it really stores.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from django.apps import apps
from django.db import models
from django.db.backends.utils import CursorWrapper
from django.utils.connection import ConnectionProxy

AUDIT_COLUMNS = ("audit_seq", "audit_head")


class NotControllable(Exception):
    """A column's type has no exact canonical form; choose another type."""


@dataclass(frozen=True)
class Control:
    """How one table is controlled.

    `append_only`: rows are never updated or deleted. `deletable`: rows may be deleted, with a
    reason (link tables, schedules); everything regulated is superseded instead.
    `ignored`: columns that are bookkeeping of a library, not record. `digest_only`: columns whose
    value must not be in the trail in clear (password hashes); the entry has their SHA-256.
    """

    table: str
    pk: str
    append_only: bool = False
    deletable: bool = False
    ignored: tuple[str, ...] = ()
    digest_only: tuple[str, ...] = ()


_declared: dict[type[models.Model], dict[str, object]] = {}
M = TypeVar("M", bound=type[models.Model])


def controlled(
    *,
    append_only: bool = False,
    deletable: bool = False,
    ignored: tuple[str, ...] = (),
    digest_only: tuple[str, ...] = (),
) -> Callable[[M], M]:
    """Declare a model (or an m2m `through` model) controlled; the next `migrate` enforces it."""

    def declare(model: M) -> M:
        _declared[model] = {
            "append_only": append_only,
            "deletable": deletable,
            "ignored": ignored,
            "digest_only": digest_only,
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


# --- Canonical SQL: one expression a column type, each giving JSON text of profile JCS-GMP/1

_BY_TYPE = {
    "boolean": "CASE WHEN {c} THEN 'true' ELSE 'false' END",
    "smallint": "{c}::text",
    "integer": "{c}::text",
    "bigint": "{c}::text",
    "numeric": "'\"' || {c}::text || '\"'",
    "text": "to_json({c})::text",
    "character varying": "to_json({c}::text)::text",
    "character": "to_json({c}::text)::text",
    "uuid": "'\"' || {c}::text || '\"'",
    "inet": "to_json(host({c}))::text",
    "date": (
        "'\"' || CASE WHEN isfinite({c}) THEN to_char({c}, 'YYYY-MM-DD') ELSE {c}::text END || '\"'"
    ),
    "time without time zone": "'\"' || to_char({c}, 'HH24:MI:SS.US') || '\"'",
    # infinity has no to_char: it would become null
    "timestamp with time zone": (
        "'\"' || CASE WHEN isfinite({c}) THEN "
        "to_char({c} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') "
        "ELSE {c}::text END || '\"'"
    ),
    "interval": "'\"' || extract(epoch FROM {c})::text || '\"'",
    "bytea": "'\"' || encode({c}, 'hex') || '\"'",
}
_DIGEST = "'\"sha256:' || encode(sha256(convert_to({c}::text, 'UTF8')), 'hex') || '\"'"


@dataclass(frozen=True)
class Columns:
    """The captured columns of a table, in canonical (sorted) order, with their types."""

    control: Control
    types: dict[str, str]

    def json(self, column: str, row: str) -> str:
        """Return SQL for one column's value as canonical JSON text."""
        reference = f'{row}."{column}"'
        if column in self.control.digest_only:
            expression = _DIGEST
        else:
            try:
                expression = _BY_TYPE[self.types[column]]
            except KeyError as error:
                raise NotControllable(
                    f"{self.control.table}.{column} is {self.types[column]}: a controlled table "
                    "needs types with one exact text (no floats, no jsonb)"
                ) from error
        return f"coalesce({expression.format(c=reference)}, 'null')"

    def row(self, row: str) -> str:
        """Return SQL for the whole row as one canonical JSON object."""
        parts = [
            f"""'{"{" if at == 0 else ","}"{column}":' || {self.json(column, row)}"""
            for at, column in enumerate(sorted(self.types))
        ]
        return " || ".join(parts) + " || '}'"

    def changed(self, row: str) -> str:
        """Return SQL for the members that differ between OLD and NEW, each with a leading comma."""
        parts = [
            f'CASE WHEN OLD."{column}" IS DISTINCT FROM NEW."{column}" '
            f"""THEN ',"{column}":' || {self.json(column, row)} ELSE '' END"""
            for column in sorted(self.types)
        ]
        return "\n            || ".join(parts)


def columns(cursor: CursorWrapper, control: Control) -> Columns:
    """Read the captured columns of a controlled table from the database."""
    cursor.execute(
        "SELECT attname, split_part(format_type(atttypid, NULL), '(', 1) FROM pg_attribute "
        "WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped AND attgenerated = ''",
        [f'public."{control.table}"'],
    )
    types = {
        name: kind
        for name, kind in cursor.fetchall()
        if name not in AUDIT_COLUMNS and name not in control.ignored
    }
    return Columns(control, types)


def function_sql(found: Columns, origin: str) -> str:
    """Return the capture function of a table, generated from its columns."""
    control = found.control
    table, pk = control.table, f'"{control.pk}"'
    origin_sql = "'" + origin.replace("'", "''") + "'"
    refusal = (
        f"RAISE EXCEPTION '% on {table} is refused: nothing regulated is {{verb}}', TG_OP "
        "USING ERRCODE = 'GM002';"
    )

    def body(after: str, new: str, old: str, op: str, prev: str, record_id: str, seq: str) -> str:
        return (
            f"audit.body({after}, {new}, {old}, '{op}', {prev}, '{table}', {record_id}, {seq}, "
            f"{origin_sql})"
        )

    digest_of_row = "encode(sha256(convert_to(whole, 'UTF8')), 'hex')"
    insert = body(digest_of_row, "whole", "'{}'", "insert", "NULL", f"NEW.{pk}::text", "1")
    update = body(
        digest_of_row,
        "'{' || substr(new_part, 2) || '}'",
        "'{' || substr(old_part, 2) || '}'",
        "update",
        "OLD.audit_head",
        f"NEW.{pk}::text",
        "NEW.audit_seq",
    )
    delete = body(
        "NULL", "'{}'", "whole", "delete", "OLD.audit_head", f"OLD.{pk}::text", "OLD.audit_seq + 1"
    )
    on_update = (
        refusal.format(verb="altered")
        if control.append_only
        else f"""
        new_part := {found.changed("NEW")};
        IF new_part = '' THEN  -- nothing captured has changed: no entry, and none to forge
            NEW.audit_seq := OLD.audit_seq;
            NEW.audit_head := OLD.audit_head;
            RETURN NEW;
        END IF;
        IF OLD.{pk} IS DISTINCT FROM NEW.{pk} THEN
            RAISE EXCEPTION 'the identity of a record of {table} never changes'
                USING ERRCODE = 'GM002';
        END IF;
        PERFORM audit.require_act(TG_OP, '{table}');
        old_part := {found.changed("OLD")};
        whole := {found.row("NEW")};
        NEW.audit_seq := OLD.audit_seq + 1;
        entry := {update};
        NEW.audit_head := audit.entry_digest(entry);
        PERFORM audit.append(entry, NEW.audit_head);
        RETURN NEW;"""
    )
    on_delete = (
        f"""
        PERFORM audit.require_act(TG_OP, '{table}');
        whole := {found.row("OLD")};
        entry := {delete};
        PERFORM audit.append(entry, audit.entry_digest(entry));
        RETURN OLD;"""
        if control.deletable
        else refusal.format(verb="deleted")
    )
    return f"""
CREATE OR REPLACE FUNCTION audit."capture_{table}"() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $capture$
-- Generated by compliance/trail/capture.py from the columns of {table}; `migrate` renews it.
DECLARE
    whole text; new_part text; old_part text; entry bytea;
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM audit.require_act(TG_OP, '{table}');
        whole := {found.row("NEW")};
        entry := {insert};
        IF TG_WHEN = 'BEFORE' THEN
            -- Before: the row learns its first digest. The entry itself is written after, since
            -- ON CONFLICT may still drop the row.
            NEW.audit_seq := 1;
            NEW.audit_head := audit.entry_digest(entry);
            RETURN NEW;
        END IF;
        PERFORM audit.append(entry, NEW.audit_head);
        RETURN NULL;
    ELSIF TG_OP = 'UPDATE' AND OLD.audit_seq = 0
        AND current_setting('audit.action', true) = '{Action.CONTROL_BEGUN}'
    THEN  -- a row older than the control gets its first entry, and changes in nothing
        PERFORM audit.require_act(TG_OP, '{table}');
        whole := {found.row("OLD")};
        NEW := OLD;
        NEW.audit_seq := 1;
        entry := {insert};
        NEW.audit_head := audit.entry_digest(entry);
        PERFORM audit.append(entry, NEW.audit_head);
        RETURN NEW;
    ELSIF TG_OP = 'UPDATE' THEN{on_update if not control.append_only else chr(10) + "        " + on_update}
    ELSIF TG_OP = 'DELETE' THEN{on_delete if control.deletable else chr(10) + "        " + on_delete}
    END IF;
    RAISE EXCEPTION '% on {table} is refused: nothing regulated is emptied', TG_OP
        USING ERRCODE = 'GM002';
END $capture$"""


# Named to run after every other BEFORE trigger of the table: triggers fire in order of name.
TRIGGERS = {
    "zz_capture": "BEFORE INSERT OR UPDATE OR DELETE ON {table} FOR EACH ROW",
    "zz_capture_insert": "AFTER INSERT ON {table} FOR EACH ROW",
    "zz_capture_truncate": "BEFORE TRUNCATE ON {table} FOR EACH STATEMENT",
}


def install(connection: ConnectionProxy) -> list[str]:
    """Bring every controlled table's columns, function and triggers up to date; owner's role.

    Returns the tables whose capture was renewed.
    """
    renewed = []
    with connection.cursor() as cursor:
        cursor.execute("SELECT origin FROM audit.log WHERE log_id = 1")
        (origin,) = cursor.fetchone()
        for control in controls():
            cursor.execute("SELECT to_regclass(%s) IS NULL", [f'public."{control.table}"'])
            if cursor.fetchone() == (True,):
                continue  # its own migration has not run yet
            if not problems(cursor, control, origin):
                continue
            table = f'public."{control.table}"'
            cursor.execute(
                f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS audit_seq bigint NOT NULL DEFAULT 0,"
                " ADD COLUMN IF NOT EXISTS audit_head bytea NOT NULL DEFAULT ''"
            )
            cursor.execute("SET LOCAL ROLE gmp_trail")
            cursor.execute(function_sql(columns(cursor, control), origin))
            cursor.execute(f'REVOKE ALL ON FUNCTION audit."capture_{control.table}" FROM PUBLIC')
            cursor.execute(f'GRANT EXECUTE ON FUNCTION audit."capture_{control.table}" TO gmp_owner')
            cursor.execute("SET LOCAL ROLE gmp_owner")
            for name, timing in TRIGGERS.items():
                cursor.execute(
                    f"CREATE OR REPLACE TRIGGER {name} {timing.format(table=table)} "
                    f'EXECUTE FUNCTION audit."capture_{control.table}"()'
                )
                cursor.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}")
            renewed.append(control.table)
    return renewed


def problems(cursor: CursorWrapper, control: Control, origin: str) -> list[str]:
    """Say what is missing or altered in the capture of one table; empty when it is as declared."""
    found = []
    cursor.execute(
        "SELECT tgname, tgenabled, tgfoid = to_regprocedure(%s) FROM pg_trigger "
        "WHERE tgrelid = to_regclass(%s)",
        [f'audit."capture_{control.table}"()', f'public."{control.table}"'],
    )
    present = {name: (enabled, right) for name, enabled, right in cursor.fetchall()}
    for name in TRIGGERS:
        match present.get(name):
            case None:
                found.append(f"{control.table}: trigger {name} is missing")
            case (_, False | None):
                found.append(f"{control.table}: trigger {name} calls another function")
            case (enabled, _) if enabled not in ("A", b"A"):
                found.append(f"{control.table}: trigger {name} is not ENABLE ALWAYS")
    cursor.execute(
        "SELECT prosrc FROM pg_proc WHERE oid = to_regprocedure(%s)",
        [f'audit."capture_{control.table}"()'],
    )
    row = cursor.fetchone()
    expected = function_sql(columns(cursor, control), origin)
    if row is None or _code(row[0]) != _code(expected.split("$capture$")[1]):
        found.append(f"{control.table}: the capture function is missing or not the declared one")
    return found


def _code(source: str) -> str:
    return hashlib.sha256(source.strip().encode()).hexdigest()
