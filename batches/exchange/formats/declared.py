"""Hold what a plant declares of a sender's columns: fields, units, decimal mark, time and zone.

A declaration is a small JSON document, kept as a controlled record and approved by a second person.
Nothing it does not say is guessed.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from compliance import times
from compliance.refusals import Refused

KINDS = ("csv", "ndjson", "asm", "b2mml")
MAKES = ("results", "readings", "events")
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "cp1252", "iso-8859-1")
NEWLINES = {"lf": "\n", "crlf": "\r\n"}
FIELDS = (
    "id", "at", "batch", "sample", "tag", "value", "unit", "text", "kind", "phase", "analyst",
    "measure", "ignore",
)  # fmt: skip
OFFSET = "offset"  # the times have their own offset, and it is the source's
_MOST_COLUMNS = 200
_TOP = {
    "kind", "makes", "encoding", "newline", "delimiter", "decimal_mark", "trim", "time_format",
    "zone", "columns", "results", "leave_unlisted",
}  # fmt: skip
_COLUMN = {"name", "field", "tag", "unit", "percent_sign", "missing"}


class DeclarationInvalid(Refused):
    code = "mapping-invalid"
    status = 422


@dataclass(frozen=True, kw_only=True)
class Column:
    """What one column is; a `measure` is a value whose tag and unit are declared here."""

    field: str
    tag: str = ""
    unit: str = ""
    percent_sign: bool = False
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Declaration:
    kind: str
    makes: str = "results"
    encoding: str = "utf-8"
    newline: str = "lf"
    delimiter: str = ","
    decimal_mark: str = "."
    trim: bool = False
    time_format: str = "iso"
    zone: str = OFFSET
    columns: Mapping[str, Column] = field(default_factory=dict)
    results: Mapping[str, Column] = field(default_factory=dict)
    leave_unlisted: bool = False


def parse(definition: Any) -> Declaration:
    """Return a declaration, or raise `DeclarationInvalid` that says what is wrong with it."""
    if not isinstance(definition, dict):
        raise DeclarationInvalid("a mapping is one JSON object")
    _demand_known(definition, _TOP, "a mapping")
    said = dict(definition)
    for name in ("columns", "results"):
        said[name] = _columns(said.get(name, []), name)
    for name, wanted in Declaration.__dataclass_fields__.items():
        if name in said and name not in ("columns", "results"):
            kind = bool if wanted.type in (bool, "bool") else str
            if not isinstance(said[name], kind):
                raise DeclarationInvalid(f"“{name}” is a {kind.__name__}")
    if "kind" not in said or said["kind"] not in KINDS:
        raise DeclarationInvalid(f"“kind” is one of {', '.join(KINDS)}")
    made = Declaration(**said)
    _demand_sense(made)
    if made.kind in ("csv", "ndjson"):
        needed = {"encoding", "newline", "time_format", "zone", "makes", "columns"}
        if missing := sorted(needed - set(definition)):
            raise DeclarationInvalid(f"a mapping of {made.kind} says also: {', '.join(missing)}")
        _demand_fields(made)
    elif "zone" not in definition:
        raise DeclarationInvalid("say in which zone times without an offset are: “zone”")
    return made


def moment(text: str, of: Declaration) -> datetime:
    """Return the moment of a text, or raise `times.NotAMoment`; the hour a clock skips has none."""
    if of.time_format == "iso":
        return times.parse(text) if of.zone == OFFSET else times.parse_local(text, zone=of.zone)
    try:
        read = datetime.strptime(text, of.time_format)
    except ValueError as error:
        raise times.NotAMoment(f"“{text[:40]}” is not of the form {of.time_format}") from error
    if read.tzinfo is not None:
        return times.parse(read.isoformat())
    if of.zone == OFFSET:
        raise times.NotAMoment(f"“{text[:40]}” names no zone, and none is declared")
    return times.parse_local(read.isoformat(), zone=of.zone)


def _columns(said: Any, where: str) -> dict[str, Column]:
    """Read a list of columns, each with its `name` exactly as the sender writes it."""
    if not isinstance(said, list) or len(said) > _MOST_COLUMNS:
        raise DeclarationInvalid(f"“{where}” is a list of at most {_MOST_COLUMNS} objects")
    found: dict[str, Column] = {}
    for one in said:
        name = one.get("name") if isinstance(one, dict) else None
        if not isinstance(name, str) or name in found:
            raise DeclarationInvalid(f"each of “{where}” has a name of its own")
        found[name] = _column(name, one, where)
    return found


def _column(heading: str, said: Mapping[str, Any], where: str) -> Column:
    _demand_known(said, _COLUMN, f"“{heading}”")
    missing = said.get("missing", [])
    texts = [said.get(name, "") for name in ("field", "tag", "unit")]
    if not isinstance(missing, list) or not all(isinstance(one, str) for one in missing + texts):
        raise DeclarationInvalid(f"“{heading}”: field, tag, unit and what is missing are texts")
    if not isinstance(said.get("percent_sign", False), bool):
        raise DeclarationInvalid(f"“{heading}”: percent_sign is true or false")
    default = "measure" if where == "results" else ""
    column = Column(
        field=said.get("field", default), tag=said.get("tag", ""), unit=said.get("unit", ""),
        percent_sign=said.get("percent_sign", False), missing=tuple(missing),
    )  # fmt: skip
    if column.field not in FIELDS:
        raise DeclarationInvalid(f"“{heading}”: field is one of {', '.join(FIELDS)}")
    if column.field == "measure" and (not column.tag or (where == "columns" and not column.unit)):
        raise DeclarationInvalid(f"“{heading}” is a measure: say its tag, and its unit in a table")
    return column


def _demand_known(said: Mapping[str, Any], known: set[str], what: str) -> None:
    if unknown := sorted(set(said) - known):
        raise DeclarationInvalid(f"{what} says nothing named {', '.join(unknown)[:200]}")


def _demand_sense(made: Declaration) -> None:
    for name, value, allowed in (
        ("makes", made.makes, MAKES),
        ("encoding", made.encoding, ENCODINGS),
        ("newline", made.newline, tuple(NEWLINES)),
        ("delimiter", made.delimiter, (",", ";", "\t", "|")),
        ("decimal_mark", made.decimal_mark, (".", ",")),
    ):
        if value not in allowed:
            raise DeclarationInvalid(f"“{name}” is one of {', '.join(map(repr, allowed))}")
    if made.decimal_mark == made.delimiter and made.kind == "csv":
        raise DeclarationInvalid("the decimal mark is not what separates the columns")
    if made.time_format != "iso" and not re.search(r"%Y", made.time_format):
        raise DeclarationInvalid("a time format has a year of four digits (%Y), or is “iso”")
    if made.zone != OFFSET:
        try:
            ZoneInfo(made.zone)
        except (KeyError, ValueError, OSError) as error:
            raise DeclarationInvalid(f"“{made.zone[:40]}” is no zone of IANA") from error


def _demand_fields(made: Declaration) -> None:
    fields = [column.field for column in made.columns.values()]
    single = [one for one in FIELDS if one not in ("ignore", "measure") and fields.count(one) > 1]
    if single:
        raise DeclarationInvalid(f"two columns are both {', '.join(single)}")
    needed = {"at"}
    if made.makes == "results":
        needed |= {"sample"}
    if made.makes == "events":
        needed |= {"kind", "batch"}
    elif "measure" not in fields:
        needed |= {"tag", "value", "unit"}
    if missing := sorted(needed - set(fields)):
        raise DeclarationInvalid(f"{made.makes} need the fields {', '.join(missing)}")
