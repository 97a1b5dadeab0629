"""When paths cross a limit, how likely that is, and how long it takes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from twins.models import ensemble
from twins.models.declarations import Limit

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Side:
    """One side of a limit."""

    limit: Limit
    side: Literal["low", "high"]
    bound: float

    def applies_between(self, start_h: float, end_h: float) -> bool:
        """Tell whether the limit applies at any moment between the two."""
        until = self.limit.applies_until_h
        return self.limit.applies_from_h <= end_h and (until is None or start_h <= until)


def sides(limits: Sequence[Limit]) -> tuple[Side, ...]:
    """Return every side that the limits have, in their order."""
    found: list[Side] = []
    for limit in limits:
        if limit.low is not None:
            found.append(Side(limit, "low", limit.low))
        if limit.high is not None:
            found.append(Side(limit, "high", limit.high))
    return tuple(found)


def first_crossings(side: Side, paths: FloatArray, ends_h: Sequence[float]) -> FloatArray:
    """Return for each member the hours until it is beyond the bound; infinity if it never is."""
    beyond = (side.bound - paths) if side.side == "low" else (paths - side.bound)
    until = side.limit.applies_until_h
    applies = np.array(
        [end >= side.limit.applies_from_h and (until is None or end <= until) for end in ends_h]
    )
    crossed = (beyond > 0.0) & applies
    hours = np.full(paths.shape[0], np.inf)
    for member in np.flatnonzero(np.any(crossed, axis=-1)):
        after = int(np.argmax(crossed[member]))
        hours[member] = ends_h[after] - ends_h[0]
        if after and applies[after - 1]:
            # Between two moments the path is taken as straight.
            inside, outside = -beyond[member, after - 1], beyond[member, after]
            share = inside / (inside + outside)
            hours[member] -= (1.0 - share) * (ends_h[after] - ends_h[after - 1])
    return hours


def probability(hours: FloatArray) -> float:
    """Return the share of members that cross; N members cannot speak for 0 or 1."""
    return (sum(math.isfinite(one) for one in hours.tolist()) + 0.5) / (len(hours) + 1)


def log_odds(share: float) -> float:
    """Return ln(p / (1 - p))."""
    return math.log(share / (1.0 - share))


def of_log_odds(odds: float) -> float:
    """Return the probability that has these log-odds."""
    return 1.0 / (1.0 + math.exp(-odds))


def lead_times(hours: FloatArray) -> tuple[float, float, float] | None:
    """Return the 10 %, 50 % and 90 % quantile of the first crossing among those that cross."""
    finite = hours[np.isfinite(hours)]
    if finite.size == 0:
        return None
    low, median, high = (float(ensemble.quantile(finite, share)) for share in (0.1, 0.5, 0.9))
    return low, median, high
