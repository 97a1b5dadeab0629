"""Forecast from what was visible at a moment which limits a CHO fed-batch will cross, and why.

A pure function: the same request gives the same bytes in every process.
"""

import math
from dataclasses import replace

from twins.models import (
    attribution,
    control_loops,
    crossing,
    documents,
    domain,
    ensemble,
    estimation,
    projection,
    requests,
)
from twins.models.cho_fed_batch import measuring
from twins.models.cho_fed_batch.declared import DECLARATION, LOOPS, UNCERTAIN
from twins.models.crossing import Side
from twins.models.documents import Json
from twins.models.estimation import MEMBERS, STATES, Estimate, FloatArray
from twins.models.forecasts import (
    Contribution,
    Forecast,
    LimitForecast,
    ParameterEstimate,
    Residual,
    Trajectory,
)
from twins.models.integrate import IntegrationInaccurate
from twins.models.observing import Seen
from twins.models.projection import Projection
from twins.models.requests import ForecastRequest, RequestInvalid

_RESIDUALS_OVER_H = 24.0
_UNITS = {
    "viable_cells_1e6_per_ml": "10*6/mL",
    "viability_pct": "%",
    "glucose_mmol_l": "mmol/L",
    "lactate_mmol_l": "mmol/L",
    "ammonium_mmol_l": "mmol/L",
    "mab_g_l": "g/L",
    "volume_l": "L",
    **{output.tag: output.unit for output in LOOPS},
}
_Explanation = tuple[float, float, tuple[Contribution, ...]]


def code_digest() -> str:
    """Return the digest of the source that computes a forecast."""
    return documents.code_digest()


def parameters_digest() -> str:
    """Return the digest of everything that is declared: constants, ranges, noise, domain."""
    return documents.digest(DECLARATION)


def to_document(forecast: Forecast) -> Json:
    """Return the forecast as a JSON-able document in which every float is a decimal string."""
    return documents.of(forecast)


def run(request: ForecastRequest) -> Forecast:
    """Answer a request; raise `RequestInvalid` when it cannot be read as a batch."""
    requests.require_sound(request)
    _require_units(request)
    means = domain.means_by_tag(request)
    silent = _silent(request)
    outside = domain.outside(request, means)
    if outside:
        return replace(silent, status="out-of-domain", reasons=outside)
    scarce = domain.undecided(request, means, None)
    if scarce:
        return replace(silent, reasons=scarce)
    try:
        estimate = estimation.assimilate(request)
    except IntegrationInaccurate as inaccurate:
        return replace(silent, reasons=(str(inaccurate),))
    silent = replace(
        silent,
        integration_error=estimate.error,
        parameters=_parameters(estimate),
        residuals=_residuals(request, estimate),
    )
    wide = domain.undecided(request, means, estimate)
    if wide:
        return replace(silent, reasons=wide)
    try:
        future = projection.project(request, estimate.rows)
        limits, paths = _limits(request, estimate, future, means)
    except IntegrationInaccurate as inaccurate:
        return replace(silent, reasons=(str(inaccurate),))
    return replace(
        silent,
        status="predicted",
        integration_error=max(estimate.error, future.error),
        limits=limits,
        trajectories=tuple(_trajectory(tag, paths[tag], future) for tag in sorted(paths)),
    )


def _silent(request: ForecastRequest) -> Forecast:
    return Forecast(
        status="undecided",
        reasons=(),
        as_of_h=request.as_of_h,
        horizon_h=request.horizon_h,
        seed=request.seed,
        members=MEMBERS,
        integration_error=None,
        limits=tuple(_limit(side, None, None) for side in crossing.sides(request.limits)),
        trajectories=(),
        parameters=(),
        residuals=(),
        code_digest=code_digest(),
        parameters_digest=parameters_digest(),
        input_digest=documents.digest(request),
    )


def _limits(
    request: ForecastRequest,
    estimate: Estimate,
    future: Projection,
    means: dict[str, list[Seen]],
) -> tuple[tuple[LimitForecast, ...], dict[str, FloatArray]]:
    sides = [
        side
        for side in crossing.sides(request.limits)
        if side.applies_between(future.ends_h[0], future.ends_h[-1])
    ]
    paths = dict(future.paths)
    explained: dict[Side, _Explanation] = {}
    for order, output in enumerate(LOOPS):
        loop = control_loops.follow(output, means[output.tag])
        if loop is None:
            continue
        variants = control_loops.project(
            loop, future.ends_h, seed=request.seed, order=order, members=MEMBERS
        )
        paths[output.tag] = variants["estimated"]
        for side in sides:
            if side.limit.tag == output.tag:
                explained[side] = attribution.of_loop(loop, side, variants, future.ends_h)
    of_process = [side for side in sides if side.limit.tag in measuring.PROCESS_VALUES]
    explained.update(
        zip(of_process, attribution.of_process(request, estimate, of_process), strict=True)
    )
    hours = {
        side: crossing.first_crossings(side, paths[side.limit.tag], future.ends_h)
        for side in explained
    }
    return (
        tuple(
            _limit(side, hours.get(side), explained.get(side))
            for side in crossing.sides(request.limits)
        ),
        paths,
    )


def _limit(side: Side, hours: FloatArray | None, explained: _Explanation | None) -> LimitForecast:
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


def _trajectory(tag: str, paths: FloatArray, future: Projection) -> Trajectory:
    over_members = paths.T
    low, middle, high = (
        tuple(float(value) for value in ensemble.quantile(over_members, share))
        for share in (0.05, 0.5, 0.95)
    )
    return Trajectory(tag, _UNITS[tag], future.ends_h, low, middle, high)


def _parameters(estimate: Estimate) -> tuple[ParameterEstimate, ...]:
    means, spreads = ensemble.mean(estimate.rows), ensemble.spread(estimate.rows)
    found = []
    for row, one in enumerate(UNCERTAIN, start=STATES):
        mean, sd = float(means[row]), float(spreads[row])
        shift = (mean - one.nominal) / sd if sd > 0.0 else 0.0
        found.append(ParameterEstimate(one.name, one.unit, one.nominal, mean, sd, shift))
    return tuple(found)


def _residuals(request: ForecastRequest, estimate: Estimate) -> tuple[Residual, ...]:
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


def _require_units(request: ForecastRequest) -> None:
    for limit in request.limits:
        if limit.tag not in _UNITS:
            raise RequestInvalid(f"this twin does not forecast {limit.tag}")
        if limit.unit != _UNITS[limit.tag]:
            raise RequestInvalid(
                f"the limit of {limit.tag} is in {limit.unit}, not {_UNITS[limit.tag]}"
            )
