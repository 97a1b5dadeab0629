"""Generate a table's capture function: the SQL that writes canonical bytes from its columns."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

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
    `redactable`: columns with personal data that may have to be erased one day; the entry has a
    salted commitment, and what opens it is kept beside the log (EDPB guidelines 02/2025).
    """

    table: str
    pk: str
    append_only: bool = False
    deletable: bool = False
    ignored: tuple[str, ...] = ()
    digest_only: tuple[str, ...] = ()
    redactable: tuple[str, ...] = ()
    record: str = ""  # what entries call it: the table's first name, also after a rename
    guards: tuple[str, ...] = ()  # other triggers that its migrations make

    def __post_init__(self) -> None:
        object.__setattr__(self, "record", self.record or self.table)


# --- Canonical SQL: one expression a column type, each giving JSON of profile JCS-GMP/1

_BY_TYPE = {
    "boolean": "to_json({c})",
    "smallint": "to_json({c})",
    "integer": "to_json({c})",
    # canonical JSON has no integers beyond 2^53: there it is a text
    "bigint": (
        "CASE WHEN {c} BETWEEN -9007199254740991 AND 9007199254740991 THEN to_json({c}) "
        "ELSE to_json({c}::text) END"
    ),
    "numeric": "to_json({c}::text)",
    "text": "to_json({c})",
    "character varying": "to_json({c})",
    "character": "to_json({c}::text)",
    "uuid": "to_json({c})",
    "inet": "to_json(host({c}))",
    "date": "to_json({c})",
    "time without time zone": "to_json(to_char({c}, 'HH24:MI:SS.US'))",
    "timestamp with time zone": (
        "CASE WHEN isfinite({c}) THEN "
        "to_json(to_char({c} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')) "
        "ELSE to_json({c}) END"
    ),
    "interval": "to_json(extract(epoch FROM {c})::text)",
    "bytea": "to_json(encode({c}, 'hex'))",
}
_TEXTS = {"text", "character varying", "character"}
_BY_TEXT = {"numeric", *_TEXTS}
_DIGEST = "to_json('sha256:' || encode(sha256(convert_to({c}::text, 'UTF8')), 'hex'))"
# What format() itself writes the same way. An expression less is time in every transaction,
# which makes all of them ready anew.
_BY_FORMAT = {"smallint": "%s", "integer": "%s", "numeric": '"%s"', "uuid": '"%s"'}
_ARGUMENTS = 90  # a function takes 100 at most


class Text(NamedTuple):
    """A text with %s in it, and the SQL of what stands there."""

    template: str
    arguments: tuple[str, ...] = ()

    def sql(self) -> str:
        """Return the call of format() that makes it."""
        return f"format('{self.template}'{''.join(f', {one}' for one in self.arguments)})"


def _joined(parts: Iterable[Text]) -> Text:
    found = list(parts)
    return Text(
        "".join(part.template for part in found),
        tuple(argument for part in found for argument in part.arguments),
    )


@dataclass(frozen=True)
class Columns:
    """The captured columns of a table, in canonical (sorted) order.

    `types` has their types by name; `not_null` the names of those that are never null.
    """

    control: Control
    types: dict[str, str]
    not_null: frozenset[str]

    def json(self, column: str, row: str) -> Text:
        """Return one column's value as canonical JSON."""
        reference = f'{row}."{column}"'
        kind = self.types[column]
        if column in self.control.redactable:
            return self._committed(column, row)
        if column in self.control.digest_only:
            expression = _DIGEST
        elif kind not in _BY_TYPE:
            raise NotControllable(
                f"{self.control.table}.{column} is {kind}: a controlled table "
                "needs types with one exact text (no floats, no jsonb)"
            )
        elif column in self.not_null and kind in _BY_FORMAT:
            return Text(_BY_FORMAT[kind], (reference,))
        else:
            expression = _BY_TYPE[kind]
        found = expression.format(c=reference)
        return Text(
            "%s", (found if column in self.not_null else f"coalesce({found}, 'null'::json)",)
        )

    def row(self, row: str) -> str:
        """Return SQL for the whole row as one canonical JSON object."""
        return self.whole(row).sql()

    def whole(self, row: str) -> Text:
        """Return the whole row as one canonical JSON object."""
        members = [
            _joined([Text(f'"{column}":'), self.json(column, row)]) for column in sorted(self.types)
        ]
        if len(members) > _ARGUMENTS:  # in several calls, each one argument of the next
            members = [
                Text("%s", (self._listed(members[at : at + _ARGUMENTS]).sql(),))
                for at in range(0, len(members), _ARGUMENTS)
            ]
        return _joined([Text("{"), self._listed(members), Text("}")])

    @staticmethod
    def _listed(members: list[Text]) -> Text:
        first, *rest = members
        return _joined([first, *(_joined([Text(","), one]) for one in rest)])

    def differs(self, column: str) -> str:
        """Return the condition under which an update changes a column."""
        return f"{self._compared(column, 'OLD')} IS DISTINCT FROM {self._compared(column, 'NEW')}"

    def changes(self) -> str:
        """Return statements that collect what differs between OLD and NEW, with leading commas.

        Columns are asked in fours. What has not changed is never rendered, nor is its expression
        made ready, which costs more in a transaction of one row than everything else here.
        """
        names = sorted(self.types)
        fours = [names[at : at + 4] for at in range(0, len(names), 4)]
        return "".join(
            f"""
        IF {" OR ".join(map(self.differs, four))} THEN{"".join(map(self._collect, four))}
        END IF;"""
            for four in fours
        )

    def _collect(self, column: str) -> str:
        new, old = (
            _joined([Text(f'%s,"{column}":', (part,)), self.json(column, row)]).sql()
            for part, row in (("new_part", "NEW"), ("old_part", "OLD"))
        )
        return f"""
            IF {self.differs(column)} THEN
                new_part := {new};
                old_part := {old};
            END IF;"""

    def digest(self, row: str) -> str:
        """Return SQL for the digest of the row in PostgreSQL's binary form, as hexadecimal text.

        Built in the server in a fifth of the time that JSON takes. Texts are converted first:
        their binary form follows the client's encoding.
        """
        parts = [
            f"convert_to({row}.\"{column}\", 'UTF8')"
            if self.types[column] in _TEXTS
            else f'{row}."{column}"'
            for column in sorted(self.types)
            if column not in self.control.redactable
        ]
        return f"encode(sha256(record_send(ROW({', '.join(parts)}))), 'hex')"

    def path(self, column: str) -> str:
        """Name a redactable column as redactions do."""
        return f"{self.control.record}.{column}"

    def salt(self, column: str, row: str) -> str:
        """Return SQL for the salt of a redactable value in the row's present version."""
        pk = f'{row}."{self.control.pk}"::text'
        return f"audit.commitment_salt('{self.path(column)}', {pk}, {row}.audit_seq)"

    def _committed(self, column: str, row: str) -> Text:
        # An old value is not committed to a second time: the entry before has its commitment.
        if row == "OLD":
            return Text('{"c":null}')
        commitment = (
            f"audit.commitment('{self.path(column)}', {self.salt(column, row)}, "
            f'{row}."{column}"::text)'
        )
        return Text("%s", (f"""coalesce('{{"c":"' || {commitment} || '"}}', 'null')""",))

    def _compared(self, column: str, row: str) -> str:
        # 12.5 equals 12.50, and some collations ignore case: to the record they are changes.
        reference = f'{row}."{column}"'
        return f'{reference}::text COLLATE "C"' if self.types[column] in _BY_TEXT else reference


def columns(cursor: CursorWrapper, control: Control) -> Columns:
    """Read the captured columns of a controlled table from the database."""
    cursor.execute(
        "SELECT attname, split_part(format_type(atttypid, NULL), '(', 1), attnotnull "
        "FROM pg_attribute "
        "WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped "
        "AND attgenerated = ''",
        [f'public."{control.table}"'],
    )
    found = [
        (name, kind, is_not_null)
        for name, kind, is_not_null in cursor.fetchall()
        if name not in AUDIT_COLUMNS and name not in control.ignored
    ]
    return Columns(
        control,
        types={name: kind for name, kind, _ in found},
        not_null=frozenset(name for name, _, is_not_null in found if is_not_null),
    )


def function_names(table: str) -> tuple[str, str]:
    """Return the names of a table's capture functions: for each row, and for inserted ones."""
    return f'audit."capture_{table}"', f'audit."capture_{table}_inserted"'


def functions_sql(found: Columns) -> tuple[str, str]:
    """Return the capture functions of a table, generated from its columns."""
    return _row_function(found), _inserted_function(found)


_HEADER = """
CREATE OR REPLACE FUNCTION {name}() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $capture$
-- Generated by compliance/trail/capture_sql.py from the columns of {table}; `migrate` renews it.
"""
# What `audit.begin_act` left for this transaction: its id, and whether the act has a reason.
_ACT = """
        IF current_setting('audit.xid', true) IS DISTINCT FROM pg_current_xact_id()::text || '+'
            AND current_setting('audit.xid', true) IS DISTINCT FROM pg_current_xact_id()::text || '-'
        THEN
            PERFORM audit.refuse(TG_OP, '{table}');
        END IF;"""
_ACT_WITH_REASON = """
        IF current_setting('audit.xid', true) IS DISTINCT FROM pg_current_xact_id()::text || '+' THEN
            PERFORM audit.refuse(TG_OP, '{table}');
        END IF;"""
_TAG = r"'\x676d702d61756469742f656e7472792f763100'::bytea"  # 'gmp-audit/entry/v1' and a NUL


_STAMP = "to_char(statement_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
_NULL = Text("null")


def _body(
    control: Control, row: str, *, op: str, new: Text, old: Text, after: Text, prev: Text, seq: str
) -> str:
    """Return SQL for the bytes of one entry: canonical JSON (JCS-GMP/1), members in order."""
    text = _joined(
        [
            Text('{"act":%s,"after":', ("current_setting('audit.act')",)),
            after,
            Text(',"at":"%s","log":%s,"new":', (_STAMP, "current_setting('audit.log')")),
            new,
            Text(',"old":'),
            old,
            Text(f',"op":"{op}","prev":'),
            prev,
            Text(
                f',"record":"{control.record}","record_id":%s,"record_seq":%s,"v":2}}',
                (f'to_json({row}."{control.pk}"::text)', seq),
            ),
        ]
    )
    return f"convert_to({text.sql()}, 'UTF8')"


def _insert_body(found: Columns, row: str) -> str:
    new = found.whole(row)
    if len(new.arguments) > _ARGUMENTS - 10:
        new = Text("%s", (new.sql(),))
    return _body(
        found.control, row, op="insert", new=new, old=Text("{}"), after=_NULL, prev=_NULL, seq="1"
    )


def _append(entry: str = "entry", digest: str = "NEW.audit_head") -> str:
    # The transaction has its id before the entry: a session can hold a sequence value without
    # one, and would be invisible to every snapshot.
    return (
        "INSERT INTO audit.entry (entry_id, xid, log_id, body, digest) "
        "VALUES (nextval('audit.entry_id_seq'), pg_current_xact_id(), "
        f"current_setting('audit.log_id')::smallint, {entry}, {digest})"
    )


def _openings(found: Columns, row: str = "NEW", *, changed_only: bool) -> str:
    """Return statements that keep what opens the commitments of the entry just appended."""
    lines = []
    for column in sorted(found.control.redactable):
        condition = f'{row}."{column}" IS NOT NULL'
        if changed_only:
            condition += f" AND {found.differs(column)}"
        lines.append(
            f"""
        IF {condition} THEN
            INSERT INTO audit.opening VALUES (currval('audit.entry_id_seq'), '{found.path(column)}',
                {found.salt(column, row)}, {row}."{column}"::text);
        END IF;"""
        )
    return "".join(lines)


def _row_function(found: Columns) -> str:
    control = found.control
    table, pk = control.table, f'"{control.pk}"'
    refusal = (
        f"\n        RAISE EXCEPTION '% on {table} is refused: nothing regulated is {{verb}}', "
        "TG_OP USING ERRCODE = 'GM002';"
    )
    prev = Text('"%s"', ("encode(OLD.audit_head, 'hex')",))
    update = _body(
        control,
        "NEW",
        op="update",
        new=Text("{%s}", ("substr(new_part, 2)",)),
        old=Text("{%s}", ("substr(old_part, 2)",)),
        after=Text('"%s"', (found.digest("NEW"),)),
        prev=prev,
        seq="NEW.audit_seq",
    )
    old = found.whole("OLD")
    delete = _body(
        control,
        "OLD",
        op="delete",
        new=Text("{}"),
        old=old if len(old.arguments) <= _ARGUMENTS - 10 else Text("%s", (old.sql(),)),
        after=_NULL,
        prev=prev,
        seq="OLD.audit_seq + 1",
    )
    on_update = (
        refusal.format(verb="altered")
        if control.append_only
        else f"""
        NEW.audit_seq := OLD.audit_seq + 1;{found.changes()}
        IF new_part IS NULL THEN  -- nothing captured has changed: no entry, and none to forge
            NEW.audit_seq := OLD.audit_seq;
            NEW.audit_head := OLD.audit_head;
            RETURN NEW;
        END IF;
        IF OLD.{pk} IS DISTINCT FROM NEW.{pk} THEN
            RAISE EXCEPTION 'the identity of a record of {table} never changes'
                USING ERRCODE = 'GM002';
        END IF;{_ACT_WITH_REASON.format(table=table)}
        entry := {update};
        NEW.audit_head := sha256({_TAG} || entry);
        {_append()};{_openings(found, changed_only=True)}
        RETURN NEW;"""
    )
    on_delete = (
        f"""{_ACT_WITH_REASON.format(table=table)}
        entry := {delete};
        {_append(digest=f"sha256({_TAG} || entry)")};
        RETURN OLD;"""
        if control.deletable
        else refusal.format(verb="deleted")
    )
    return f"""{_HEADER.format(name=function_names(table)[0], table=table)}DECLARE
    new_part text; old_part text; entry bytea;
BEGIN
    IF TG_OP = 'INSERT' THEN{_ACT.format(table=table)}
        -- The row learns the digest of its first entry. The entry itself is written when the
        -- statement ends, since ON CONFLICT may still drop the row.
        NEW.audit_seq := 1;
        NEW.audit_head := sha256({_TAG} || {_insert_body(found, "NEW")});
        RETURN NEW;
    ELSIF TG_OP = 'UPDATE' AND OLD.audit_seq = 0
        AND strpos(current_setting('audit.act', true),
            '"action":"{Action.CONTROL_BEGUN}"') > 0
    THEN  -- a row older than the control gets its first entry, and changes in nothing{_ACT.format(table=table)}
        NEW.audit_seq := 1;
        IF {" OR ".join(map(found.differs, sorted(found.types)))} THEN
            RAISE EXCEPTION 'control over {table} begins with its rows as they are'
                USING ERRCODE = 'GM002';
        END IF;
        -- Not NEW := OLD: with columns that were added later, that crashes PostgreSQL 15.
        entry := {_insert_body(found, "NEW")};
        NEW.audit_head := sha256({_TAG} || entry);
        {_append()};{_openings(found, changed_only=False)}
        RETURN NEW;
    ELSIF TG_OP = 'UPDATE' THEN{on_update}
    ELSIF TG_OP = 'DELETE' THEN{on_delete}
    END IF;
    RAISE EXCEPTION '% on {table} is refused: nothing regulated is emptied', TG_OP
        USING ERRCODE = 'GM002';
END $capture$"""


def _inserted_function(found: Columns) -> str:
    """Return the function that writes the entries of all rows that one statement inserted.

    One statement for all of them: a row at a time costs twice as much.
    """
    table = found.control.table
    appended = f"""
    INSERT INTO audit.entry (entry_id, xid, log_id, body, digest)
        SELECT nextval('audit.entry_id_seq'), pg_current_xact_id(),
            current_setting('audit.log_id')::smallint,
            {_insert_body(found, "n")}, n.audit_head
        FROM inserted n;"""
    if found.control.redactable:  # a row at a time: each entry's id is needed for its openings
        appended = f"""
    FOR n IN SELECT * FROM inserted LOOP
        entry := {_insert_body(found, "n")};
        {_append(digest="n.audit_head")};{_openings(found, "n", changed_only=False)}
    END LOOP;"""
    return f"""{_HEADER.format(name=function_names(table)[1], table=table)}{"DECLARE entry bytea; n record;" if found.control.redactable else ""}
BEGIN{_ACT.format(table=table)}{appended}
    RETURN NULL;
END $capture$"""
