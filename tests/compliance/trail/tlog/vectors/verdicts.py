"""Compare what a family of published vectors demands with what our code says."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Verdict:
    """One vector: whether it must be accepted, and whether it was."""

    name: str
    expected: bool
    got: bool


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a whole family."""

    title: str
    verdicts: tuple[Verdict, ...]

    @property
    def disagreements(self) -> list[str]:
        """Names of the vectors with another verdict than the published one."""
        return [one.name for one in self.verdicts if one.expected != one.got]

    @property
    def line(self) -> str:
        """The family's line in the table."""
        total, wrong = len(self.verdicts), len(self.disagreements)
        refused = sum(not one.expected for one in self.verdicts)
        return (
            f"{self.title + ':':<44}{f'{total - wrong}/{total}':>9} passed"
            f"{refused:>6} of them must be refused{wrong:>4} disagreements"
        )


@dataclass(frozen=True, slots=True)
class Family:
    """Vectors of one kind, and how many there must at least be: none found is no success."""

    title: str
    least: int
    read: Callable[[Path], Iterator[Verdict]]

    def result(self, vectors: Path) -> Result:
        """Run the family on the folder of vectors."""
        return Result(self.title, tuple(self.read(vectors)))


FAMILIES: list[Family] = []


def family(title: str, *, least: int) -> Callable[[Callable[[Path], Iterator[Verdict]]], Family]:
    """Register a function that yields the verdicts of a family."""

    def register(read: Callable[[Path], Iterator[Verdict]]) -> Family:
        FAMILIES.append(Family(title, least, read))
        return FAMILIES[-1]

    return register


def accepts(
    refusal: type[Exception] | tuple[type[Exception], ...], check: Callable[..., Any], *values: Any
) -> bool:
    """Say whether a check accepts; any error but its documented refusal rises."""
    try:
        check(*values)
    except refusal:
        return False
    return True
