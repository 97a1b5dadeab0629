"""Forecast from what was visible at a moment which limits a CHO fed-batch will cross, and why.

A pure function: the same request gives the same bytes in every process.
"""

from dataclasses import replace

from twins.models import (
    attribution,
    control_loops,
    crossing,
    describing,
    documents,
    domain,
    estimation,
    projection,
    requests,
)
from twins.models.cho_fed_batch import measuring
from twins.models.cho_fed_batch.declared import DECLARATION, LOOPS
from twins.models.cho_fed_batch.members import FloatArray
from twins.models.cho_fed_batch.self_checks import SelfCheckFailed
from twins.models.crossing import Side
from twins.models.documents import Json
from twins.models.estimation import MEMBERS, Estimate
from twins.models.forecasts import (
    Forecast,
    LimitForecast,
)
from twins.models.integrate import IntegrationInaccurate
from twins.models.observing import Seen
from twins.models.projection import Projection
from twins.models.requests import ForecastRequest, RequestInvalid


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
        parameters=describing.parameters(estimate),
        residuals=describing.residuals(request, estimate),
    )
    wide = domain.undecided(request, means, estimate)
    if wide:
        return replace(silent, reasons=wide)
    try:
        future = projection.project(request, estimate.rows)
        limits, paths = _limits(request, estimate, future, means)
    except (IntegrationInaccurate, SelfCheckFailed) as failed:
        return replace(silent, reasons=(str(failed),))
    return replace(
        silent,
        status="forecast",
        integration_error=max(estimate.error, future.error),
        limits=limits,
        trajectories=tuple(describing.trajectory(tag, paths[tag], future) for tag in sorted(paths)),
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
        limits=tuple(describing.limit(side, None, None) for side in crossing.sides(request.limits)),
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
    explained: dict[Side, describing.Explanation] = {}
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
            describing.limit(side, hours.get(side), explained.get(side))
            for side in crossing.sides(request.limits)
        ),
        paths,
    )


def _require_units(request: ForecastRequest) -> None:
    for limit in request.limits:
        if limit.tag not in describing.UNITS:
            raise RequestInvalid(f"this twin does not forecast {limit.tag}")
        if limit.unit != describing.UNITS[limit.tag]:
            raise RequestInvalid(
                f"the limit of {limit.tag} is in {limit.unit}, not {describing.UNITS[limit.tag]}"
            )
