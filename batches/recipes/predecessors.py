"""Say which phases must be done before a phase starts: one after the other, or a group at once; pure."""

from collections.abc import Iterable
from itertools import groupby
from typing import Protocol


class Ordered(Protocol):
    """A phase with its place and its parallel group."""

    @property
    def order(self) -> int: ...

    @property
    def parallel_group(self) -> str: ...


def of(phases: Iterable[Ordered]) -> dict[int, frozenset[int]]:
    """Return, for the place of each phase, the places of those that must be done before it.

    Neighbours with the same group may run in any order or side by side; all others wait for
    everything before them.
    """
    ordered = sorted(phases, key=lambda phase: phase.order)
    needed: dict[int, frozenset[int]] = {}
    done: frozenset[int] = frozenset()
    for _, members in groupby(ordered, key=_together):
        places = [phase.order for phase in members]
        needed |= dict.fromkeys(places, done)
        done |= frozenset(places)
    return needed


def _together(phase: Ordered) -> tuple[str, int]:
    return (phase.parallel_group, 0 if phase.parallel_group else phase.order)
