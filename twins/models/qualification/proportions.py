"""Exact statistics of counts: binomial tails, Clopper-Pearson intervals, Fisher's exact test."""

import math
from collections.abc import Callable
from dataclasses import dataclass

_STEPS = 80  # halvings of [0, 1]: more than a double can tell apart


@dataclass(frozen=True)
class Interval:
    """A closed interval."""

    low: float
    high: float


def at_least(successes: int, trials: int, share: float) -> float:
    """Return the probability of so many successes or more."""
    return math.fsum(_binomial(k, trials, share) for k in range(successes, trials + 1))


def at_most(successes: int, trials: int, share: float) -> float:
    """Return the probability of so many successes or fewer."""
    return math.fsum(_binomial(k, trials, share) for k in range(successes + 1))


def clopper_pearson(successes: int, trials: int, *, level: float = 0.95) -> Interval:
    """Return the exact interval of a share (Clopper and Pearson, Biometrika 26:404, 1934)."""
    if not 0 <= successes <= trials or trials < 1:
        raise ValueError(f"{successes} of {trials} is no share")
    tail = (1.0 - level) / 2.0
    low, high = 0.0, 1.0
    if successes > 0:
        low = _root(lambda share: at_least(successes, trials, share) < tail)
    if successes < trials:
        high = _root(lambda share: at_most(successes, trials, share) > tail)
    return Interval(low, high)


def fisher(hits: int, misses: int, false_alarms: int, silences: int) -> float:
    """Return how likely so many hits or more are when alarms say nothing about events.

    One-sided exact test of a 2 x 2 table (R. A. Fisher, 1935).
    """
    events, normals = hits + misses, false_alarms + silences
    alarms = hits + false_alarms
    total = math.comb(events + normals, alarms)
    ways = sum(
        math.comb(events, k) * math.comb(normals, alarms - k)
        for k in range(hits, min(events, alarms) + 1)
        if alarms - k <= normals
    )
    return ways / total


def _binomial(successes: int, trials: int, share: float) -> float:
    if share <= 0.0:
        return 1.0 if successes == 0 else 0.0
    if share >= 1.0:
        return 1.0 if successes == trials else 0.0
    logarithm = (
        math.lgamma(trials + 1) - math.lgamma(successes + 1) - math.lgamma(trials - successes + 1)
        + successes * math.log(share) + (trials - successes) * math.log1p(-share)
    )  # fmt: skip
    return math.exp(logarithm)


def _root(is_below: Callable[[float], bool]) -> float:
    """Return where a condition that holds for small values ends."""
    low, high = 0.0, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2.0
        low, high = (middle, high) if is_below(middle) else (low, middle)
    return (low + high) / 2.0
