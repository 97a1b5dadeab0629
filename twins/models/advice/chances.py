"""How likely futures cross a limit, with an interval that knows how many of them are independent."""

import math
from collections.abc import Sequence

import numpy as np

from twins.models import describing
from twins.models.advice.answers import Chance
from twins.models.crossing import Side
from twins.models.projection import Projection

_Z90 = 1.6448536269514722


def applies(side: Side, ends_h: Sequence[float]) -> list[bool]:
    """Tell for each moment whether the limit holds then."""
    until = side.limit.applies_until_h
    return [end >= side.limit.applies_from_h and (until is None or end <= until) for end in ends_h]


def chance(side: Side, future: Projection, *, of_each: int) -> Chance:
    """Return how likely a crossing is, with an interval that knows which futures are related.

    `of_each` futures start at each member: the first of every member, then the second of every one.
    The shift of a forecast's log-odds counts here too: an alert and its proposal mean the same by 80 %.
    """
    values = future.paths[side.limit.tag]
    beyond = (side.bound - values) if side.side == "low" else (values - side.bound)
    crossed = np.any((beyond > 0.0) & np.array(applies(side, future.ends_h)), axis=-1)
    counted = interval(crossed.reshape(of_each, -1).sum(axis=0).tolist(), of_each=of_each)
    return shifted(counted, future.shifts.get(side.limit.tag, 0.0))


def shifted(counted: Chance, shift: float) -> Chance:
    """Return a chance with all its log-odds moved; an end of the interval at 0 or 1 stays there."""
    low, high = (
        describing.stated(end, shift) if 0.0 < end < 1.0 else end
        for end in (counted.low, counted.high)
    )
    return Chance(describing.stated(counted.probability, shift), low, high)


def interval(crossing: Sequence[int], *, of_each: int) -> Chance:
    """Return the share of futures that cross, from how many of each member's `of_each` do.

    Wilson's interval (1927, 10.1080/01621459.1927.10502953) with as many independent futures as
    Kish's design effect leaves; where none or all cross, as many as there are members.
    """
    count, members = sum(crossing), len(crossing)
    futures = of_each * members
    share = (count + 0.5) / (futures + 1)
    mean = count / futures
    alone = mean * (1.0 - mean) / futures
    effect = float(of_each)
    if alone > 0.0:
        between = math.fsum((one / of_each - mean) ** 2 for one in crossing)
        effect = min(max(between / (members * (members - 1)) / alone, 1.0), effect)
    trials = futures / effect
    square = _Z90 * _Z90
    centre = (mean + square / (2.0 * trials)) / (1.0 + square / trials)
    half = _Z90 * math.sqrt(mean * (1.0 - mean) / trials + square / (4.0 * trials * trials))
    half /= 1.0 + square / trials
    return Chance(share, max(min(centre - half, share), 0.0), min(max(centre + half, share), 1.0))
