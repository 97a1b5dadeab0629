"""Put an estimate and its future into the words of a forecast."""

import math
from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from twins.models import crossing, ensemble
from twins.models.crossing import Side
from twins.models.declarations import Uncertain
from twins.models.forecasts import (
    Contribution,
    Innovation,
    LimitForecast,
    ParameterEstimate,
    Residual,
    Trajectory,
)

FloatArray = NDArray[np.float64]

_RESIDUALS_OVER_H = 24.0
# Log-odds, those of a nominal batch, and what lies between.
Explanation = tuple[float, float, tuple[Contribution, ...]]


def limit(
    side: Side, hours: FloatArray | None, explained: Explanation | None, shift: float = 0.0
) -> LimitForecast:
    """Return one side of a limit; without crossing hours it has no probability.

    `shift` is added to all log-odds: of the share of members that cross, and of the explanation.
    """
    lead = None if hours is None else crossing.lead_times(hours)
    return LimitForecast(
        tag=side.limit.tag,
        side=side.side,
        bound=side.bound,
        unit=side.limit.unit,
        criticality=side.limit.criticality,
        probability=None if hours is None else stated(crossing.probability(hours), shift),
        lead_h_median=lead[1] if lead else None,
        lead_h_10=lead[0] if lead else None,
        lead_h_90=lead[2] if lead else None,
        log_odds=explained[0] + shift if explained else None,
        nominal_log_odds=explained[1] + shift if explained else None,
        contributions=explained[2] if explained else (),
    )


def stated(share: float, shift: float) -> float:
    """Return the probability that is stated of a share of members; the share itself without a shift."""
    return crossing.of_log_odds(crossing.log_odds(share) + shift) if shift else share


def trajectory(tag: str, unit: str, paths: FloatArray, ends_h: Sequence[float]) -> Trajectory:
    """Return the quantiles of one tag; `paths` (members, times)."""
    over_members = paths.T
    low, middle, high = (
        tuple(float(value) for value in ensemble.quantile(over_members, share))
        for share in (0.05, 0.5, 0.95)
    )
    return Trajectory(tag, unit, tuple(ends_h), low, middle, high)


def parameters(rows: FloatArray, uncertain: Sequence[Uncertain]) -> tuple[ParameterEstimate, ...]:
    """Return what the batch taught about the uncertain parameters; `rows` (parameters, members)."""
    means, spreads = ensemble.mean(rows), ensemble.spread(rows)
    found = []
    for row, one in enumerate(uncertain):
        mean, sd = float(means[row]), float(spreads[row])
        shift = (mean - one.nominal) / sd if sd > 0.0 else 0.0
        found.append(ParameterEstimate(one.name, one.unit, one.nominal, mean, sd, shift))
    return tuple(found)


def residuals(
    innovations: Sequence[Innovation], *, tags: Collection[str], as_of_h: float
) -> tuple[Residual, ...]:
    """Return how the last day's measurements agreed with the twin."""
    since_h = as_of_h - _RESIDUALS_OVER_H
    found = []
    for tag in sorted(tags):
        values = [one.standardised for one in innovations if one.tag == tag and one.at_h > since_h]
        if values:
            mean = math.fsum(values) / len(values)
            square = math.fsum(value * value for value in values) / len(values)
            found.append(Residual(tag, len(values), mean, square))
    return tuple(found)
