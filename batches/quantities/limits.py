"""Judge a value against a parameter's limits: normal range, proven range, action limits."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class Standing(StrEnum):
    """How far out a value is; the worst that applies."""

    WITHIN = "within"
    OUTSIDE_NORMAL = "outside-normal"  # outside the normal operating range
    OUTSIDE_PROVEN = "outside-proven"  # outside the proven acceptable range (ICH Q8)
    BEYOND_ACTION = "beyond-action"


@dataclass(frozen=True)
class Range:
    """From low to high, both included; None is open."""

    low: Decimal | None = None
    high: Decimal | None = None

    @property
    def is_open(self) -> bool:
        return self.low is None and self.high is None

    def holds(self, value: Decimal) -> bool:
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)

    def __str__(self) -> str:
        match self.low, self.high:
            case None, None:
                return "no limits"
            case low, None:
                return f"at least {_plain(low)}"
            case None, high:
                return f"at most {_plain(high)}"
        return f"{_plain(self.low)} to {_plain(self.high)}"


OPEN = Range()


@dataclass(frozen=True)
class Limits:
    """The ranges of one parameter, each wider than the one before; an open one says nothing."""

    normal: Range = OPEN
    proven: Range = OPEN
    action: Range = OPEN


def judge(value: Decimal, limits: Limits) -> Standing:
    """Return the worst standing of a value; one on a limit is within it."""
    if not value.is_finite():
        raise ValueError(f"{value} is no number to judge")
    if not limits.action.holds(value):
        return Standing.BEYOND_ACTION
    if not limits.proven.holds(value):
        return Standing.OUTSIDE_PROVEN
    return Standing.WITHIN if limits.normal.holds(value) else Standing.OUTSIDE_NORMAL


def _plain(value: Decimal | None) -> str:
    return "" if value is None else f"{value.normalize():f}"
