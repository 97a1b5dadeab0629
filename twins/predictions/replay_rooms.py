"""Let higher rooms have their runs repeated by `manage.py replay`, beside predictions."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from django.db.models import QuerySet


class Repeated(Protocol):
    """What repeating one run showed."""

    @property
    def identical(self) -> bool: ...

    @property
    def computed_digest(self) -> str: ...

    @property
    def differences(self) -> tuple[str, ...]: ...


@dataclass(frozen=True)
class Room:
    """A kind of run: its name, those that ended with an answer, and how one is repeated."""

    name: str
    ended: Callable[[], QuerySet[Any]]
    replay: Callable[[Any], Repeated]


_rooms: dict[str, Room] = {}


def register(room: Room) -> None:
    """Add a kind of run; called in AppConfig.ready."""
    if room.name in _rooms:
        raise ValueError(f"runs named {room.name!r} are registered already")
    _rooms[room.name] = room


def all_of_them() -> tuple[Room, ...]:
    """Return the kinds of runs of higher rooms, by name."""
    return tuple(_rooms[name] for name in sorted(_rooms))
