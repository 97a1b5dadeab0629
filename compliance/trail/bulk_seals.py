"""Let rooms that seal bulk data by one entry (segments of readings) verify it with the trail."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Broken:
    """Data that is not what its entry sealed: the record that sealed it, and what is wrong."""

    record: str
    message: str


Check = Callable[[], Iterator[Broken]]
_checks: dict[str, Check] = {}


def register(name: str, check: Check) -> None:
    """Register how one kind of bulk data is verified; called in AppConfig.ready."""
    if name in _checks:
        raise ValueError(f"bulk data named {name} is registered already")
    _checks[name] = check


def broken() -> Iterator[Broken]:
    """Yield everything that is not what was sealed, of every kind."""
    for check in _checks.values():
        yield from check()
