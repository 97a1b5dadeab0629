"""Put an estimate and a projection into the words of a forecast."""

import math

from twins.models import crossing, ensemble
from twins.models.cho_fed_batch import measuring
from twins.models.cho_fed_batch.declared import LOOPS, UNCERTAIN
from twins.models.cho_fed_batch.members import STATES, FloatArray
from twins.models.crossing import Side
from twins.models.estimation import Estimate
from twins.models.forecasts import (
    Contribution,
    LimitForecast,
    ParameterEstimate,
    Residual,
    Trajectory,
)
from twins.models.projection import Projection
from twins.models.requests import ForecastRequest

_RESIDUALS_OVER_H = 24.0
UNITS = {
    "viable_cells_1e6_per_ml": "10*6/mL",
    "viability_pct": "%",
    "glucose_mmol_l": "mmol/L",
    "lactate_mmol_l": "mmol/L",
    "ammonium_mmol_l": "mmol/L",
    "mab_g_l": "g/L",
    "volume_l": "L",
    **{output.tag: output.unit for output in LOOPS},
}
Explanation = tuple[float, float, tuple[Contribution, ...]]


def limit(side: Side, hours: FloatArray | None, explained: Explanation | None) -> LimitForecast:
    """Return one side of a limit; without crossing hours it has no probability."""
    lead = None if hours is None else crossing.lead_times(hours)
    return LimitForecast(
        tag=side.limit.tag,
        side=side.side,
        bound=side.bound,
        unit=side.limit.unit,
        criticality=side.limit.criticality,
        probability=None if hours is None else crossing.probability(hours),
        lead_h_median=lead[1] if lead else None,
        lead_h_10=lead[0] if lead else None,
        lead_h_90=lead[2] if lead else None,
        log_odds=explained[0] if explained else None,
        nominal_log_odds=explained[1] if explained else None,
        contributions=explained[2] if explained else (),
    )


def trajectory(tag: str, paths: FloatArray, future: Projection) -> Trajectory:
    """Return the quantiles of one tag."""
    over_members = paths.T
    low, middle, high = (
        tuple(float(value) for value in ensemble.quantile(over_members, share))
        for share in (0.05, 0.5, 0.95)
    )
    return Trajectory(tag, UNITS[tag], future.ends_h, low, middle, high)


def parameters(estimate: Estimate) -> tuple[ParameterEstimate, ...]:
    """Return what the batch taught about the uncertain parameters."""
    means, spreads = ensemble.mean(estimate.rows), ensemble.spread(estimate.rows)
    found = []
    for row, one in enumerate(UNCERTAIN, start=STATES):
        mean, sd = float(means[row]), float(spreads[row])
        shift = (mean - one.nominal) / sd if sd > 0.0 else 0.0
        found.append(ParameterEstimate(one.name, one.unit, one.nominal, mean, sd, shift))
    return tuple(found)


def residuals(request: ForecastRequest, estimate: Estimate) -> tuple[Residual, ...]:
    """Return how the last day's measurements agreed with the twin."""
    since_h = request.as_of_h - _RESIDUALS_OVER_H
    found = []
    for tag in sorted(measuring.ASSIMILATED):
        values = [
            one.standardised
            for one in estimate.innovations
            if one.tag == tag and one.at_h > since_h
        ]
        if values:
            mean = math.fsum(values) / len(values)
            square = math.fsum(value * value for value in values) / len(values)
            found.append(Residual(tag, len(values), mean, square))
    return tuple(found)
