"""Read values of parsed JSON strictly: exactly these members, exactly these types."""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import pairwise
from typing import Any, Protocol, TypeVar

from compliance.trail.tlog import canonical, commitment

_TIME = re.compile(  # hour 24 is an ISO time to newer Pythons
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}\.[0-9]{6}Z"
)


class Wrong(ValueError):
    """A value of another shape; says which."""


class Named(Protocol):
    """Whatever has a place in an order."""

    def __lt__(self, other: Any, /) -> bool: ...


Ordered = TypeVar("Ordered", bound=Named)


def members(value: object, names: Iterable[str], *, more: bool = False) -> Mapping[str, Any]:
    """Return an object that has these members, and with `more` possibly others."""
    wanted = set(names)
    if not isinstance(value, Mapping) or not wanted <= set(value):
        raise Wrong(f"not an object with {', '.join(sorted(wanted))}")
    if not more and set(value) != wanted:
        raise Wrong(f"unknown member {min(set(value) - wanted)!r}")
    return value


def text(value: object, *, filled: bool = False) -> str:
    if not isinstance(value, str) or (filled and not value):
        raise Wrong("not a text" if not isinstance(value, str) else "an empty text")
    return value


def whole(value: object, *, least: int = 0, most: int = canonical.MAX_INTEGER) -> int:
    if type(value) is not int or not least <= value <= most:
        raise Wrong(f"not a whole number from {least} to {most}")
    return value


def hex32(value: object) -> bytes:
    if not commitment.is_hex32(value):
        raise Wrong("not 64 lower-case hexadecimal digits")
    return bytes.fromhex(value)


def array(value: object, *, most: int | None = None) -> list[Any]:
    if not isinstance(value, list) or (most is not None and len(value) > most):
        raise Wrong("not an array" if not isinstance(value, list) else f"more than {most} items")
    return value


def hashes(value: object) -> tuple[bytes, ...]:
    return tuple(hex32(one) for one in array(value, most=64))


def moment(value: object) -> datetime:
    """Return a time of the one form in which the trail writes them."""
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        raise Wrong("not a time YYYY-MM-DDTHH:MM:SS.ffffffZ")
    try:
        return datetime.fromisoformat(value)  # six times as fast as strptime
    except ValueError as error:
        raise Wrong(f"{value} is no time") from error


def version(value: object, number: int) -> None:
    if type(value) is not int or value != number:
        raise Wrong(f"not of version {number}")


def ascending(values: list[Ordered], what: str) -> None:
    """Demand an order in which nothing is there twice."""
    if any(not earlier < later for earlier, later in pairwise(values)):
        raise Wrong(f"{what} are not in ascending order, or one is there twice")
