"""Know what a review by exception looks at: each room registers what it counts and what deviates."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from batches.execution.models import Batch


@dataclass(frozen=True)
class Exceptional:
    """One thing that is not as it should be: what, and the record to look at (table, key)."""

    text: str
    record: tuple[str, str] = ("", "")

    @property
    def table(self) -> str:
        return self.record[0]

    @property
    def key(self) -> str:
        return self.record[1]


@dataclass(frozen=True)
class Item:
    """One section of the review: how many records it has, and which of them deviate.

    `listed` is where the rest is reached: an admin list ("execution.BatchEvent") and its filter.
    """

    count: int
    exceptions: Sequence[Exceptional] = field(default_factory=tuple)
    listed: tuple[str, str] = ("", "")
    left_out: int = 0

    @property
    def exception_count(self) -> int:
        return len(self.exceptions) + self.left_out


Look = Callable[[Batch], Item]
MOST = 50  # exceptions of a section that are named; the others are counted
_registered: dict[str, tuple[int, str, Look]] = {}


def register(name: str, *, label: str, order: int) -> Callable[[Look], Look]:
    """Declare a function from a batch to one section of its review."""

    def declare(look: Look) -> Look:
        if name in _registered:
            raise ValueError(f"the review item {name} is registered already")
        _registered[name] = (order, label, look)
        return look

    return declare


def of(batch: Batch) -> list[tuple[str, str, Item]]:
    """Return name, label and content of every section, in order."""
    found = sorted(_registered.items(), key=lambda one: (one[1][0], one[0]))
    return [(name, label, look(batch)) for name, (_, label, look) in found]


def item(
    *, count: int, exceptions: Sequence[Exceptional], listed: tuple[str, str] = ("", "")
) -> Item:
    """Return a section that names at most `MOST` exceptions."""
    return Item(count, tuple(exceptions[:MOST]), listed, max(0, len(exceptions) - MOST))
