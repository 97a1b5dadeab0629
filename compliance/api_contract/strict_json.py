"""Read posted JSON strictly: one accepted form, everything else a clear refusal."""

import json
import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from django.http.request import RawPostDataException, UnreadablePostError
from django.utils.http import parse_header_parameters
from rest_framework.exceptions import (
    APIException,
    ParseError,
    UnsupportedMediaType,
    ValidationError,
)
from rest_framework.parsers import BaseParser, JSONParser

MOST_BYTES_JSON = 1024 * 1024
MOST_BYTES_NDJSON = 32 * 1024 * 1024
MOST_DEPTH = 32
MOST_INTEGER = 2**53 - 1
_FORBIDDEN = re.compile("[\0\ud800-\udfff]")
_CHARSETS = {"", "utf-8", "utf8"}


class TooLarge(APIException):
    """The body is larger than this endpoint reads at once."""

    status_code = 413
    default_code = "too-large"
    default_detail = "The body is too large."


class StrictJSONParser(JSONParser):
    """JSON without duplicate keys, NaN, NUL, lone surrogates or numbers that lose digits."""

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        _demand_utf8(media_type)
        return loads(_read(stream, parser_context, MOST_BYTES_JSON))


class NdjsonParser(BaseParser):
    """Lines of JSON as the bytes that were posted; who asks for them reads the lines."""

    media_type = "application/x-ndjson"

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        _demand_utf8(media_type)
        return _read(stream, parser_context, MOST_BYTES_NDJSON)


def loads(data: bytes) -> Any:
    """Return the value of strict JSON; raise `ParseError` (400) or `ValidationError` (422)."""
    try:
        text = data.decode()
        value = json.loads(
            text,
            object_pairs_hook=_unique,
            parse_constant=_no_constant,
            parse_int=_integer,
            parse_float=_decimal,
        )
    except UnicodeDecodeError as error:
        raise ParseError(f"byte {error.start} is not UTF-8") from error
    except json.JSONDecodeError as error:  # a byte order mark too: RFC 8259 has none
        raise ParseError(f"not JSON: {error}") from error
    except RecursionError as error:
        raise ValidationError(f"nested deeper than {MOST_DEPTH}", code="depth") from error
    _check(value, 0)
    return value


def _demand_utf8(media_type: Any) -> None:
    """RFC 8259 8.1: JSON between systems is UTF-8; another charset is not guessed at."""
    charset = parse_header_parameters(media_type or "")[1].get("charset", "")
    if charset.lower() not in _CHARSETS:
        raise UnsupportedMediaType(media_type, detail=f"write it in UTF-8, not in {charset[:40]}")


def _read(stream: Any, context: Any, most: int) -> bytes:
    """Read the body; one that says it is larger is refused before it is read."""
    request = context["request"]
    said = request.META.get("CONTENT_LENGTH") or "0"
    if not said.isdigit() or int(said) > most:
        raise TooLarge(f"post at most {most // 1024} KiB at once")
    with arriving_whole():
        data: bytes = stream.read(most + 1)
    if len(data) > most:
        raise TooLarge(f"post at most {most // 1024} KiB at once")
    return data


@contextmanager
def arriving_whole() -> Iterator[None]:
    """Refuse a body of which the end did not come, or that was read before in vain."""
    try:
        yield
    except (UnreadablePostError, RawPostDataException) as error:
        raise ParseError("the body did not arrive whole") from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        names = [name for name, _ in pairs]
        twice = sorted({name for name in names if names.count(name) > 1})
        raise ValidationError(dict.fromkeys(twice, "this member is there twice"), "duplicate")
    return members


def _no_constant(name: str) -> Any:
    raise ValidationError(f"{name} is no JSON number", code="number")


def _integer(digits: str) -> int:
    if len(digits) > 17 or abs(int(digits)) > MOST_INTEGER:
        raise ValidationError("an integer outside of ±(2^53 - 1) loses digits", code="number")
    return int(digits)


def _decimal(digits: str) -> Decimal:
    if not math.isfinite(float(digits)):
        raise ValidationError(f"{digits[:40]} is out of range", code="number")
    return Decimal(digits)


def _check(value: Any, depth: int) -> None:
    if depth > MOST_DEPTH:
        raise ValidationError(f"nested deeper than {MOST_DEPTH}", code="depth")
    if isinstance(value, str):
        if _FORBIDDEN.search(value):
            raise ValidationError("a text holds NUL or half of a surrogate pair", code="text")
    elif isinstance(value, dict):
        for name, member in value.items():
            _check(name, depth)
            _check(member, depth + 1)
    elif isinstance(value, list):
        for member in value:
            _check(member, depth + 1)
