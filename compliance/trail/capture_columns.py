"""Say in SQL what a controlled table's columns are as canonical JSON, and when they differ."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from django.db.backends.utils import CursorWrapper

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
ARGUMENTS = 90  # a function takes 100 at most


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
