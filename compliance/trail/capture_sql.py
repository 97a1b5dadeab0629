"""Generate a table's capture function: the SQL that writes canonical bytes from its columns."""

from dataclasses import dataclass

from django.db.backends.utils import CursorWrapper

from compliance.trail.actions import Action

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


# --- Canonical SQL: one expression a column type, each giving JSON text of profile JCS-GMP/1

_BY_TYPE = {
    "boolean": "CASE {c} WHEN true THEN 'true' WHEN false THEN 'false' END",
    "smallint": "{c}::text",
    "integer": "{c}::text",
    # canonical JSON has no integers beyond 2^53: there it is a text
    "bigint": (
        "CASE WHEN {c} BETWEEN -9007199254740991 AND 9007199254740991 THEN {c}::text "
        "ELSE '\"' || {c}::text || '\"' END"
    ),
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
_BY_TEXT = {"numeric", "text", "character varying", "character"}
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
            f"CASE WHEN {self._compared(column, 'OLD')} IS DISTINCT FROM "
            f"{self._compared(column, 'NEW')} "
            f"""THEN ',"{column}":' || {self.json(column, row)} ELSE '' END"""
            for column in sorted(self.types)
        ]
        return "\n            || ".join(parts)

    def _compared(self, column: str, row: str) -> str:
        # 12.5 equals 12.50, and some collations ignore case: to the record they are changes.
        reference = f'{row}."{column}"'
        return f'{reference}::text COLLATE "C"' if self.types[column] in _BY_TEXT else reference


def columns(cursor: CursorWrapper, control: Control) -> Columns:
    """Read the captured columns of a controlled table from the database."""
    cursor.execute(
        "SELECT attname, split_part(format_type(atttypid, NULL), '(', 1) FROM pg_attribute "
        "WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped "
        "AND attgenerated = ''",
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
        f"\n        RAISE EXCEPTION '% on {table} is refused: nothing regulated is {{verb}}', "
        "TG_OP USING ERRCODE = 'GM002';"
    )

    def body(record_id: str, seq: str, **part: str) -> str:
        return (
            f"audit.body({part['after']}, {part['new']}, {part['old']}, '{part['op']}', "
            f"{part['prev']}, '{table}', {record_id}, {seq}, {origin_sql})"
        )

    after = "encode(sha256(convert_to(whole, 'UTF8')), 'hex')"
    insert = body(
        f"NEW.{pk}::text", "1", after=after, new="whole", old="'{}'", op="insert", prev="NULL"
    )
    update = body(
        f"NEW.{pk}::text",
        "NEW.audit_seq",
        after=after,
        new="'{' || substr(new_part, 2) || '}'",
        old="'{' || substr(old_part, 2) || '}'",
        op="update",
        prev="OLD.audit_head",
    )
    delete = body(
        f"OLD.{pk}::text",
        "OLD.audit_seq + 1",
        after="NULL",
        new="'{}'",
        old="whole",
        op="delete",
        prev="OLD.audit_head",
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
-- Generated by compliance/trail/capture_sql.py from the columns of {table}; `migrate` renews it.
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
        new_part := {found.changed("NEW")};
        IF new_part <> '' THEN
            RAISE EXCEPTION 'control over {table} begins with its rows as they are'
                USING ERRCODE = 'GM002';
        END IF;
        -- Not NEW := OLD: with columns that were added later, that crashes PostgreSQL 15.
        whole := {found.row("NEW")};
        NEW.audit_seq := 1;
        entry := {insert};
        NEW.audit_head := audit.entry_digest(entry);
        PERFORM audit.append(entry, NEW.audit_head);
        RETURN NEW;
    ELSIF TG_OP = 'UPDATE' THEN{on_update}
    ELSIF TG_OP = 'DELETE' THEN{on_delete}
    END IF;
    RAISE EXCEPTION '% on {table} is refused: nothing regulated is emptied', TG_OP
        USING ERRCODE = 'GM002';
END $capture$"""
