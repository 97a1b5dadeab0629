"""Measure how far several people's ratings of a failure mode lie apart (ICH Q9(R1), 5.1)."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations
from statistics import median_high

# From so many steps apart on, the raters talk about it before anything is decided.
WIDE = 2


@dataclass(frozen=True, slots=True)
class Numbers:
    """One person's severity, occurrence and detection."""

    severity: int
    occurrence: int
    detection: int

    @property
    def rpn(self) -> int:
        return self.severity * self.occurrence * self.detection


@dataclass(frozen=True, slots=True)
class Spread:
    """How several ratings lie: their highest middle, their ranges, their disagreement."""

    middle: Numbers
    worst: Numbers
    ranges: Numbers
    lowest_rpn: int
    highest_rpn: int
    disagreement: Decimal  # 0: all the same; 1: as far apart as the scale allows

    @property
    def is_wide(self) -> bool:
        return max(self.ranges.severity, self.ranges.occurrence, self.ranges.detection) >= WIDE


def of(ratings: Sequence[Numbers], *, highest: int) -> Spread:
    """Return the spread of one or more ratings on a scale from 1 to `highest`."""
    if not ratings:
        raise ValueError("there is no spread of no rating")
    columns = [
        [one.severity for one in ratings],
        [one.occurrence for one in ratings],
        [one.detection for one in ratings],
    ]
    products = [one.rpn for one in ratings]
    return Spread(
        # Of two middles the higher one counts: doubt is no reason to rate a risk lower.
        middle=Numbers(*(median_high(column) for column in columns)),
        worst=Numbers(*(max(column) for column in columns)),
        ranges=Numbers(*(max(column) - min(column) for column in columns)),
        lowest_rpn=min(products),
        highest_rpn=max(products),
        disagreement=_disagreement(columns, highest),
    )


def _disagreement(columns: Sequence[Sequence[int]], highest: int) -> Decimal:
    """Return the mean distance of two raters in the three dimensions, as a part of the scale."""
    distances = [abs(one - other) for column in columns for one, other in combinations(column, 2)]
    if not distances:
        return Decimal("0.00")
    mean = Decimal(sum(distances)) / len(distances)
    return (mean / (highest - 1)).quantize(Decimal("0.01"))
