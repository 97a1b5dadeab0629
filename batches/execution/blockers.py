"""Collect what stands against a release: each room registers what it would object to."""

from collections.abc import Callable
from dataclasses import dataclass

from batches.execution.models import Batch

Objections = Callable[[Batch], list[str]]
_registered: dict[str, tuple[str, Objections]] = {}


@dataclass(frozen=True)
class Blocker:
    """One reason why a batch cannot be released now: who objects, by which clause, and what."""

    name: str
    clause: str
    text: str


def register(name: str, *, clause: str) -> Callable[[Objections], Objections]:
    """Declare a function from a batch to its objections; every release asks it."""

    def declare(objections: Objections) -> Objections:
        if name in _registered:
            raise ValueError(f"the blocker {name} is registered already")
        _registered[name] = (clause, objections)
        return objections

    return declare


def of(batch: Batch) -> list[Blocker]:
    """Return everything that blocks a batch's release, by name of the blocker."""
    return [
        Blocker(name=name, clause=clause, text=text)
        for name, (clause, objections) in sorted(_registered.items())
        for text in objections(batch)
    ]
