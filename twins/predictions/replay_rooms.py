"""Let higher rooms have their runs repeated by `manage.py replay`, beside predictions."""

from dataclasses import dataclass
from importlib import import_module
from typing import Any

from django.db.models import QuerySet

from twins.predictions.replays import Replay


@dataclass(frozen=True)
class Room:
    """A kind of run: its name, its records, and the module whose `replay` repeats one.

    The module is imported when it is needed: it may compile a model.
    """

    name: str
    model: Any
    module: str

    def ended(self) -> QuerySet[Any]:
        """Return the runs that ended with an answer."""
        rows: QuerySet[Any] = self.model.objects.exclude(output="")
        return rows.select_related("prediction__model_version").order_by("pk")

    def replay(self, run: Any) -> Replay:
        """Repeat one of them."""
        found: Replay = import_module(self.module).replay(run)
        return found


_rooms: dict[str, Room] = {}


def register(room: Room) -> None:
    """Add a kind of run; called in AppConfig.ready."""
    if room.name in _rooms:
        raise ValueError(f"runs named {room.name!r} are registered already")
    _rooms[room.name] = room


def all_of_them() -> tuple[Room, ...]:
    """Return the kinds of runs of higher rooms, by name."""
    return tuple(_rooms[name] for name in sorted(_rooms))
