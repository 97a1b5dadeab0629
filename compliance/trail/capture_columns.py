"""Say in SQL what a controlled table's columns are as canonical JSON, and when they differ."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from django.db.backends.utils import CursorWrapper

AUDIT_COLUMNS = {"audit_seq": "bigint", "audit_head": "bytea"}


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


# --- Canonical SQL: the JSON of profile JCS-GMP/1 that each column type has

_BARE = {  # the JSON itself: a text or json
    "boolean": "CASE WHEN {c} THEN 'true' ELSE 'false' END",
    # canonical JSON has no integers beyond 2^53: there it is a text
    "bigint": "format(CASE WHEN {c} / 9007199254740992 = 0 THEN '%s' ELSE '\"%s\"' END, {c})",
    "text": "to_json({c})",
    "character varying": "to_json({c})",
    "character": "to_json({c}::text)",
    "date": "to_json({c})",
}
# What format() writes, in numbers and in quotes. Whatever has no part in that is left out: each
# function is made ready anew in each transaction, which costs more than running it.
_FORMATTED = {
    "smallint": ("%s", "{c}"),
    "integer": ("%s", "{c}"),
    "numeric": ('"%s"', "{c}"),
    "uuid": ('"%s"', "{c}"),
    "inet": ('"%s"', "host({c})"),
    "time without time zone": ('"%s"', "to_char({c}, 'HH24:MI:SS.US')"),
    "timestamp with time zone": (
        '"%s"',  # of infinity, to_char makes nothing
        "coalesce(to_char({c} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), "
        "CASE WHEN {c} = 'infinity' THEN 'infinity' ELSE '-infinity' END)",
    ),
    "interval": ('"%s"', "extract(epoch FROM {c})"),
    "bytea": ('"%s"', "encode({c}, 'hex')"),
}
_DIGEST = ('"sha256:%s"', "encode(sha256(convert_to({c}::text, 'UTF8')), 'hex')")
# Stands for the type of a column that was altered to one without an exact text: such a column is
# read, never captured. No type has this name without quotes.
OTHER = "?"
_BARE[OTHER] = "to_json({c}::text)"
_TEXTS = {"text", "character varying", "character"}
# Keys that format() writes without anything to escape.
_PLAIN_KEYS = {"smallint", "integer", "bigint", "uuid"}
ARGUMENTS = 90  # a function takes 100 at most


def is_exact(kind: str) -> bool:
    """Say whether a column of this type has one exact text."""
    return kind in _BARE or kind in _FORMATTED


class Text(NamedTuple):
    """A text with %s in it, and the SQL of what stands there."""

    template: str
    arguments: tuple[str, ...] = ()

    def sql(self) -> str:
        """Return the call of format() that makes it."""
        return f"format('{self.template}'{''.join(f', {one}' for one in self.arguments)})"


def joined(parts: Iterable[Text]) -> Text:
    """Return texts one after the other."""
    found = list(parts)
    return Text(
        "".join(part.template for part in found),
        tuple(argument for part in found for argument in part.arguments),
    )


@dataclass(frozen=True)
class Columns:
    """The captured columns of a table, in canonical (sorted) order.

    `types` has their types by name; `not_null` the names of those that are never null. `leads` are
    the columns to the last entry of a record that are there as they should be.
    """

    control: Control
    types: dict[str, str] = field(hash=False)
    not_null: frozenset[str]
    leads: frozenset[str] = frozenset(AUDIT_COLUMNS)

    def json(self, column: str, row: str) -> Text:
        """Return one column's value as canonical JSON."""
        reference = f'{row}."{column}"'
        kind = self.types[column]
        if column in self.control.redactable:
            return self._committed(column, row)
        if kind in _BARE and column not in self.control.digest_only:
            template, expression = "%s", _BARE[kind].format(c=reference)
        else:
            template, expression = self._formatted(column, kind, reference)
            if column not in self.not_null:
                template, expression = "%s", f"format('{template}', {expression})"
        if column not in self.not_null:
            expression = f"CASE WHEN {reference} IS NULL THEN 'null' ELSE {expression} END"
        return Text(template, (expression,))

    def _formatted(self, column: str, kind: str, reference: str) -> tuple[str, str]:
        if column not in self.control.digest_only and kind not in _FORMATTED:
            raise NotControllable(
                f"{self.control.table}.{column} is {kind}: a controlled table "
                "needs types with one exact text (no floats, no jsonb)"
            )
        template, expression = _DIGEST if column in self.control.digest_only else _FORMATTED[kind]
        return template, expression.format(c=reference)

    def record_id(self, row: str) -> Text:
        """Return the key of the record, which is a text to the trail."""
        reference = f'{row}."{self.control.pk}"'
        if self.types.get(self.control.pk) in _PLAIN_KEYS:
            return Text('"%s"', (reference,))
        return Text("%s", (f"to_json({reference}::text)",))

    def row(self, row: str) -> str:
        """Return SQL for the whole row as one canonical JSON object."""
        return self.whole(row).sql()

    def whole(self, row: str) -> Text:
        """Return the whole row as one canonical JSON object."""
        members = [
            joined([Text(f'"{column}":'), self.json(column, row)]) for column in sorted(self.types)
        ]
        if len(members) > ARGUMENTS:  # in several calls, each one argument of the next
            members = [
                Text("%s", (self._listed(members[at : at + ARGUMENTS]).sql(),))
                for at in range(0, len(members), ARGUMENTS)
            ]
        return joined([Text("{"), self._listed(members), Text("}")])

    @staticmethod
    def _listed(members: list[Text]) -> Text:
        first, *rest = members
        return joined([first, *(joined([Text(","), one]) for one in rest)])

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
        if column == self.control.pk:
            return f"""
            IF {self.differs(column)} THEN
                RAISE EXCEPTION 'the identity of a record of {self.control.table} never changes'
                    USING ERRCODE = 'GM002';
            END IF;"""
        new, old = (
            joined([Text(f'%s,"{column}":', (part,)), self.json(column, row)]).sql()
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
        reference, kind = f'{row}."{column}"', self.types[column]
        if kind == "numeric":
            return f"numeric_send({reference})"
        return f'{reference}::text COLLATE "C"' if kind in _TEXTS else reference


def columns(cursor: CursorWrapper, controls: Iterable[Control]) -> dict[str, Columns]:
    """Read the captured columns of controlled tables from the database, by table.

    A table that is not there has none.
    """
    wanted = {control.table: control for control in controls}
    cursor.execute(
        "SELECT c.relname::text, attname::text, split_part(format_type(atttypid, NULL), '(', 1), "
        "attnotnull FROM pg_attribute JOIN pg_class c ON c.oid = attrelid "
        "WHERE c.relnamespace = to_regnamespace('public') AND c.relname = ANY(%s) "
        "AND attnum > 0 AND NOT attisdropped AND attgenerated = ''",
        [list(wanted)],
    )
    types: dict[str, dict[str, str]] = {table: {} for table in wanted}
    not_null: dict[str, set[str]] = {table: set() for table in wanted}
    leads: dict[str, set[str]] = {table: set() for table in wanted}
    for table, name, kind, is_not_null in cursor.fetchall():
        if name in AUDIT_COLUMNS:
            if kind == AUDIT_COLUMNS[name]:
                leads[table].add(name)
        elif name not in wanted[table].ignored:
            types[table][name] = kind
            if is_not_null:
                not_null[table].add(name)
    return {
        table: Columns(control, types[table], frozenset(not_null[table]), frozenset(leads[table]))
        for table, control in wanted.items()
    }
