"""Write and read the one byte form of a JSON value that is hashed (profile JCS-GMP/1)."""

import json
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TypeAlias

Value: TypeAlias = "bool | int | str | Sequence[Value] | Mapping[str, Value] | None"
Number: TypeAlias = "bool | int | float | str | Sequence[Number] | Mapping[str, Number] | None"
Place: TypeAlias = "tuple[Place, str | int] | None"  # the way from the top of a document, reversed

MAX_DEPTH = 64
MAX_INTEGER = 2**53 - 1
MAX_SHOWN = 80  # characters of a key in a refusal, which may be logged

_KEY = re.compile(r"[A-Za-z0-9_.-]+")
_SURROGATE = re.compile("[\ud800-\udfff]")
_ENCODER = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
)


class NotCanonical(ValueError):
    """A value or its bytes have no place in the profile; `path` says where in the document."""

    def __init__(self, place: Place, reason: str) -> None:
        self.path = _path(place)
        self.reason = reason
        super().__init__(f"{self.path}: {reason}")


def dumps(value: Value) -> bytes:
    """Return the canonical bytes of a value, or raise `NotCanonical`."""
    _check(value, None, 0)
    # In this profile the order of code points is the order of UTF-16 units, and no number needs
    # ES6 formatting: the C encoder writes RFC 8785, many times faster than a general one.
    return _ENCODER.encode(value).encode()


def loads(data: bytes) -> Value:
    """Return the value of canonical bytes, or raise `NotCanonical` for any other bytes."""
    try:
        value: Value = json.loads(data.decode(), object_pairs_hook=_unique, parse_int=_integer)
    except UnicodeDecodeError as error:
        raise NotCanonical(None, f"byte {error.start} is not UTF-8") from error
    except json.JSONDecodeError as error:
        raise NotCanonical(None, f"not JSON: {error}") from error
    except RecursionError as error:
        raise NotCanonical(None, f"nested deeper than {MAX_DEPTH}") from error
    if dumps(value) != data:
        raise NotCanonical(None, "the bytes are not the canonical form of their value")
    return value


def jcs(value: Number) -> bytes:
    """Return the RFC 8785 form of any I-JSON value, floats and all keys included."""
    return _jcs(value, None, 0).encode()


def has_surrogate(text: str) -> bool:
    """Say whether a text has half of a surrogate pair, which no bytes of UTF-8 can hold."""
    return _SURROGATE.search(text) is not None


def _check(value: object, place: Place, depth: int) -> None:
    if isinstance(value, str):
        # Most strings are ASCII, which CPython knows without looking.
        if not value.isascii() and _SURROGATE.search(value):
            raise NotCanonical(place, "lone surrogate")
    elif value is None or isinstance(value, bool):
        return
    elif isinstance(value, int):
        if not -MAX_INTEGER <= value <= MAX_INTEGER:
            raise NotCanonical(place, "integer outside of ±(2^53 - 1)")
    elif isinstance(value, dict):
        _check_depth(place, depth)
        for key, member in value.items():
            if not isinstance(key, str) or not _KEY.fullmatch(key):
                raise NotCanonical(place, f"key {_short(repr(key))} is not of A-Z a-z 0-9 _ . -")
            _check(member, (place, key), depth + 1)
    elif isinstance(value, list | tuple):
        _check_depth(place, depth)
        for position, member in enumerate(value):
            _check(member, (place, position), depth + 1)
    else:
        hint = "; write a decimal as a string" if isinstance(value, float | Decimal) else ""
        raise NotCanonical(place, f"{type(value).__name__} has no canonical form{hint}")


def _check_depth(place: Place, depth: int) -> None:
    if depth >= MAX_DEPTH:
        raise NotCanonical(place, f"nested deeper than {MAX_DEPTH}")


def _path(place: Place) -> str:
    """Write a place, which is done for refusals only: long keys would make it quadratic work."""
    steps = []
    while place:
        place, step = place
        steps.append(f"[{step}]" if isinstance(step, int) else f".{_short(step)}")
    return "$" + "".join(reversed(steps))


def _short(text: str) -> str:
    return text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "…"


def _unique(pairs: list[tuple[str, Value]]) -> dict[str, Value]:
    members = dict(pairs)
    if len(members) != len(pairs):
        twice = next(key for key, times in Counter(k for k, _ in pairs).items() if times > 1)
        raise NotCanonical(None, f"key {_short(repr(twice))} appears twice in an object")
    return members


def _integer(digits: str) -> int:
    # Bounded before conversion: int() takes quadratic time, and refuses 4,300 digits by itself.
    if len(digits) > 17:
        raise NotCanonical(None, "integer outside of ±(2^53 - 1)")
    return int(digits)


def _jcs(value: object, place: Place, depth: int) -> str:
    if isinstance(value, float):
        return _es6(value, place)
    if isinstance(value, dict):
        _check_depth(place, depth)
        for key in value:
            if not isinstance(key, str):
                raise NotCanonical(place, f"key {_short(repr(key))} is not a string")
            _check(key, place, depth)
        # RFC 8785 3.2.3: keys are ordered by their UTF-16 code units.
        ordered = sorted(value, key=lambda key: key.encode("utf-16-be"))
        members = (
            f"{_ENCODER.encode(key)}:{_jcs(value[key], (place, key), depth + 1)}" for key in ordered
        )
        return "{" + ",".join(members) + "}"
    if isinstance(value, list | tuple):
        _check_depth(place, depth)
        items = (_jcs(item, (place, n), depth + 1) for n, item in enumerate(value))
        return "[" + ",".join(items) + "]"
    _check(value, place, depth)
    return _ENCODER.encode(value)


def _es6(value: float, place: Place) -> str:
    """Format a double as ECMAScript does (RFC 8785 3.2.2.3, ECMA-262 Number::toString)."""
    if not math.isfinite(value):
        raise NotCanonical(place, f"{value} is not a JSON number")
    if value == 0:
        return "0"
    # repr gives the shortest digits that read back as the same double, as ECMAScript does.
    shortest = Decimal(repr(abs(value))).as_tuple()
    point = len(shortest.digits) + int(shortest.exponent)
    digits = "".join(map(str, shortest.digits)).rstrip("0")
    count = len(digits)
    if count <= point <= 21:
        text = digits + "0" * (point - count)
    elif 0 < point <= 21:
        text = f"{digits[:point]}.{digits[point:]}"
    elif -6 < point <= 0:
        text = "0." + "0" * -point + digits
    else:
        mantissa = digits if count == 1 else f"{digits[0]}.{digits[1:]}"
        text = f"{mantissa}e{point - 1:+d}"
    return "-" + text if value < 0 else text
