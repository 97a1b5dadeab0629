"""Read a reading out of plain JSON, as the configuration says where it is."""

import json
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

from batches.exchange.collectors.configuration import Topic
from batches.exchange.collectors.quality import Qualities
from batches.exchange.collectors.samples import Aside, Sample, Taken

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?")
_MOMENT = re.compile(
    r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?(?:Z|[+-]\d{2}:\d{2})", re.ASCII
)


class MessageInvalid(ValueError):
    """The message is not of the form that its topic declares."""


class _Digits(str):
    """A JSON number, with its digits."""


def take(topic: Topic, data: bytes, qualities: Qualities, *, at: datetime) -> Taken:
    """Return what the message says; one that cannot be read is put aside whole."""
    taken = Taken()
    try:
        document = _document(data)
        when = _moment(_at(document, topic.at), topic.at_format)
        problem = ""
        if topic.quality is not None:
            quality = _at(document, topic.quality)
            problem = "" if str(quality) in topic.good else f"quality {quality}"
        found = _at(document, topic.value)
        if not problem and found is None:
            problem = "null"
        value = "" if problem else _value(found)
    except MessageInvalid as error:
        text = f"{topic.topic}: {data.decode(errors='backslashreplace')} ({error})"
        taken.aside.append(Aside("message-invalid", text, at))
        return taken
    taken.notes += qualities.changed(topic.target, problem, at=when)
    if not problem:
        taken.samples.append(Sample(topic.target, when, value))
    return taken


def _document(data: bytes) -> Any:
    try:
        return json.loads(
            data.decode(),
            parse_float=_Digits,
            parse_int=_Digits,
            parse_constant=_no_number,
            object_pairs_hook=_once,
        )
    except (ValueError, RecursionError) as error:
        raise MessageInvalid(f"no JSON: {error}") from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise MessageInvalid("a member is there twice")
    return found


def _no_number(text: str) -> NoReturn:
    raise MessageInvalid(f"{text} is no number")


def _at(document: Any, pointer: str) -> Any:
    """Follow a JSON pointer (RFC 6901)."""
    found = document
    for part in pointer.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(found, dict) and name in found:
            found = found[name]
        elif isinstance(found, list) and name.isdigit() and int(name) < len(found):
            found = found[int(name)]
        else:
            raise MessageInvalid(f"nothing is at {pointer}")
    return found


def _value(found: Any) -> str:
    if not isinstance(found, str) or not _NUMBER.fullmatch(found):
        raise MessageInvalid(f"{str(found)[:60]} is no decimal number")
    return str(found)


def _moment(found: Any, form: str) -> datetime:
    if form == "iso":
        if isinstance(found, _Digits) or not isinstance(found, str) or not _MOMENT.fullmatch(found):
            raise MessageInvalid(f"{str(found)[:60]} is no moment with its zone")
        try:
            return datetime.fromisoformat(found).astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise MessageInvalid(str(error)) from error
    if not isinstance(found, _Digits):
        raise MessageInvalid(f"{str(found)[:60]} is no number of {form}")
    try:
        scale = 1_000 if form == "ms" else 1_000_000
        return _EPOCH + timedelta(microseconds=int(Decimal(found) * scale))
    except (InvalidOperation, OverflowError, ValueError) as error:
        raise MessageInvalid(f"{found[:60]}: {error}") from error
