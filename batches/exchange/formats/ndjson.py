"""Read posted readings: one JSON object a line, each with tag, at, value and unit."""

import json
import re
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

import msgspec

from compliance import times
from compliance.refusals import Refused

MEMBERS = ("tag", "at", "value", "unit")
MOST_ERRORS = 100
MOST_TEXT = 60
_NUMBER = re.compile(rb'"?(-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?)"?')


class LinesRefused(Refused):
    """Some lines are not of the form; `errors` names them."""

    code = "lines-refused"
    status = 422


class Line(NamedTuple):
    tag: str
    observed_at: datetime
    value: Decimal
    unit: str


class _Wire(msgspec.Struct, forbid_unknown_fields=True, frozen=True, gc=False):
    tag: str
    at: str
    value: msgspec.Raw
    unit: str


_DECODER = msgspec.json.Decoder(_Wire)


class _LineInvalid(ValueError):
    def __init__(self, member: str, detail: str) -> None:
        super().__init__(detail)
        self.member = member


def readings(data: bytes, *, most: int) -> list[Line]:
    """Return the rows in order, or raise `LinesRefused` with every faulty line (up to 100)."""
    lines = data.split(b"\n")
    if not lines[-1]:
        lines.pop()  # the last line ends too
    if len(lines) > most:
        raise LinesRefused(f"post at most {most} lines at once, not {len(lines)}")
    if not lines:
        raise LinesRefused("the body has no line")
    suspicious = _may_have_duplicates(data, len(lines))
    rows: list[Line] = []
    errors: list[dict[str, str]] = []
    for number, line in enumerate(lines, start=1):
        try:
            rows.append(_row(line, suspicious=suspicious))
        except _LineInvalid as error:
            errors.append(
                {
                    "pointer": f"/{number - 1}{error.member and '/'}{error.member}",
                    "line": str(number),
                    "code": "line-invalid",
                    "detail": f"line {number}: {error}",
                }
            )
            if len(errors) >= MOST_ERRORS:
                break
    if errors:
        raise LinesRefused(f"nothing was stored: {errors[0]['detail']}", errors=errors)
    return rows


def _row(line: bytes, *, suspicious: bool) -> Line:
    try:
        wire = _DECODER.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise _LineInvalid("", str(error)) from error
    if suspicious:
        _check_strictly(line)
    found = _NUMBER.fullmatch(bytes(wire.value))
    if found is None:
        raise _LineInvalid("value", "value is no decimal number")
    try:
        at = times.parse(wire.at)
    except times.NotAMoment as error:
        raise _LineInvalid("at", str(error)) from error
    if not 0 < len(wire.tag) <= MOST_TEXT or len(wire.unit) > MOST_TEXT:
        raise _LineInvalid("tag", f"tag and unit have at most {MOST_TEXT} characters")
    return Line(wire.tag, at, Decimal(found[1].decode()), wire.unit)


def _may_have_duplicates(data: bytes, count: int) -> bool:
    """Say whether a line might hold a member twice, or an escape that hides one.

    The decoder lets the last of two win. It demands each member in each line, so as many of
    each as there are lines means one of each in every line.
    """
    return b"\\" in data or any(data.count(b'"%s"' % name.encode()) != count for name in MEMBERS)


def _check_strictly(line: bytes) -> None:
    try:
        pairs: list[tuple[str, object]] = json.loads(line, object_pairs_hook=list)
    except ValueError as error:
        raise _LineInvalid("", str(error)) from error
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names):
        raise _LineInvalid("", "a member is there twice")
    for name, value in pairs:
        if isinstance(value, str) and any(c == "\0" or "\ud800" <= c <= "\udfff" for c in value):
            raise _LineInvalid(name, "a text holds NUL or half of a surrogate pair")
