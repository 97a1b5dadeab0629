"""Share the change of a probability among the variables that were taken back one by one.

As steps interact, they are made in an order and in the reverse one, and averaged: the contributions sum
to the whole change in both.
"""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from twins.models import crossing
from twins.models.crossing import Side
from twins.models.describing import Explanation
from twins.models.forecasts import Contribution

FloatArray = NDArray[np.float64]


def of_loop(
    tag: str, side: Side, variants: Mapping[str, FloatArray], ends_h: Sequence[float]
) -> Explanation:
    """Return the same for what a control loop holds: its level and its trend."""
    odds = {
        name: crossing.log_odds(crossing.probability(crossing.first_crossings(side, paths, ends_h)))
        for name, paths in variants.items()
    }
    names = [f"{tag} level", f"{tag} trend"]
    chains = [
        [odds["estimated"], odds["without-level"], odds["nominal"]],
        [odds["estimated"], odds["without-trend"], odds["nominal"]],
    ]
    return between(names, [[0, 1], [1, 0]], chains)


def between(names: list[str], orders: list[list[int]], chains: list[list[float]]) -> Explanation:
    """Return the log-odds, the nominal ones and the contributions, largest first.

    Each chain has the log-odds from the estimate to the nominal batch, in one order of the names.
    """
    shares: dict[str, list[float]] = {name: [] for name in names}
    for order, chain in zip(orders, chains, strict=True):
        for group, (before, after) in zip(order, pairwise(chain), strict=True):
            shares[names[group]].append(before - after)
    contributions = [
        Contribution(name, math.fsum(steps) / len(orders)) for name, steps in shares.items()
    ]
    ordered = sorted(contributions, key=lambda one: (-abs(one.log_odds), one.variable))
    actual = chains[0][0]
    nominal = math.fsum(chain[-1] for chain in chains) / len(chains)
    return actual, nominal, tuple(ordered)
