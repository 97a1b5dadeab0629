"""Read posted readings by columns: what is of the usual form at once, all else line by line."""

import re
from datetime import date

import msgspec

from batches.exchange.formats import ndjson
from batches.execution import samples
from batches.execution.sample_bytes import Reading
from batches.execution.samples import Samples
from compliance.times import EARLIEST

# The whole column at once. Possessive: a column that does not fit is not tried in other ways.
_NUMBERS = re.compile(r"(?:-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?\n)*+")
_MOMENTS = re.compile(
    r"(?:[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3])(?::[0-5][0-9]){2}(?:\.[0-9]{1,6})?Z\n)*+"
)
_QUOTES = 2 * len(ndjson.MEMBERS) + 6  # of a line: its members' names, and three values in quotes
_DATE = len("2026-03-01")
_WHOLE, _FULL = len("2026-03-01T08:00:00Z"), len("2026-03-01T08:00:00.000000")


class _Wire(msgspec.Struct, forbid_unknown_fields=True, frozen=True, gc=False):
    tag: str
    at: str
    value: msgspec.Raw
    unit: str


_DECODER = msgspec.json.Decoder(_Wire)


class _Unusual(Exception):
    """The body may be right, or not: the line-by-line reading says it."""


def read(data: bytes, *, most: int) -> Samples:
    """Return the samples of a body of lines, or raise `LinesRefused` with every faulty line."""
    try:
        return _columns(data, most)
    except (_Unusual, msgspec.MsgspecError, UnicodeDecodeError):
        lines = ndjson.readings(data, most=most)
        return samples.of([Reading(*line) for line in lines])


def _columns(data: bytes, most: int) -> Samples:
    count = data.count(b"\n") + (not data.endswith(b"\n"))
    # Every line has each member at least once: with no more quotes than that, none is there twice.
    if count > most or b"\\" in data or data.count(b'"') != _QUOTES * count:
        raise _Unusual
    lines = _DECODER.decode_lines(data)
    if len(lines) != count:  # an empty line between others
        raise _Unusual
    values = _column(_NUMBERS, b"\n".join([one.value for one in lines]).decode())
    ats = _column(_MOMENTS, "\n".join([one.at for one in lines]))
    tags, units = [one.tag for one in lines], [one.unit for one in lines]
    if any(not 0 < len(tag) <= ndjson.MOST_TEXT for tag in set(tags)) or any(
        len(unit) > ndjson.MOST_TEXT for unit in set(units)
    ):
        raise _Unusual
    texts = _texts(set(ats))
    return Samples(
        tags=tags,
        texts=[texts[at] for at in ats],
        values=[one if one[0] != "-" else _negative(one) for one in values],
        units=units,
    )


def _column(form: re.Pattern[str], joined: str) -> list[str]:
    if form.fullmatch(joined + "\n") is None:
        raise _Unusual
    return joined.split("\n")


def _texts(ats: set[str]) -> dict[str, str]:
    """Return the one form of each moment that is hashed and stored."""
    try:
        first = min(map(date.fromisoformat, {at[:_DATE] for at in ats}))
    except ValueError as error:  # the 30th of February
        raise _Unusual from error
    if first < EARLIEST.date():
        raise _Unusual
    return {
        at: f"{at[:-1]}.000000Z" if len(at) == _WHOLE else f"{at[:-1]:0<{_FULL}}Z" for at in ats
    }


def _negative(value: str) -> str:
    """Return the digits as PostgreSQL writes them: there is no negative zero."""
    return value if value.strip("-0.") else value[1:]
