"""Forecast from what was visible at a moment which limits a batch will cross, and why: any process.

A pure function: the same request gives the same bytes in every process of a machine. What is particular
to a process (`Process`) are its equations, its estimate, and where it must be silent.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeVar

from twins.models import crossing, describing, documents
from twins.models.crossing import Side
from twins.models.declarations import Declaration
from twins.models.describing import Explanation, FloatArray
from twins.models.forecasts import Forecast, LimitForecast, ParameterEstimate, Residual
from twins.models.integrate import IntegrationInaccurate
from twins.models.requests import Request, RequestInvalid
from twins.models.self_checking import SelfCheckFailed

RequestT_contra = TypeVar("RequestT_contra", bound=Request, contravariant=True)
EstimateT = TypeVar("EstimateT")


@dataclass(frozen=True)
class Known:
    """What an estimate says of the batch until now."""

    error: float
    parameters: tuple[ParameterEstimate, ...]
    residuals: tuple[Residual, ...]


@dataclass(frozen=True)
class Foretold:
    """Paths of the process values, each of shape (members, times), and why limits are crossed.

    Time 0 is the last one that is known. A side of a limit that is not in `explained` is not explained;
    `notes` say why where it should have been. `shifts` are what is added to the log-odds of the share of
    members that cross a limit of a tag, where batches showed that members cross too often or too seldom.
    """

    ends_h: tuple[float, ...]
    paths: Mapping[str, FloatArray]
    error: float
    explained: Mapping[Side, Explanation]
    notes: tuple[str, ...] = ()
    shifts: Mapping[str, float] = field(default_factory=dict)


class Process(Protocol[RequestT_contra, EstimateT]):
    """What is particular to one process; every function is pure."""

    DECLARATION: Declaration
    MEMBERS: int

    def require(self, request: RequestT_contra, /) -> None:
        """Raise `RequestInvalid` when the request cannot be read as a batch."""

    def units(self, request: RequestT_contra, /) -> Mapping[str, str]:
        """Return the unit of each process value, under the name that the request has for it."""

    def outside(self, request: RequestT_contra, /) -> tuple[str, ...]:
        """Return why the twin may not answer; empty inside its declared input space."""

    def scarce(self, request: RequestT_contra, /) -> tuple[str, ...]:
        """Return why the data are not enough for an estimate."""

    def estimate(self, request: RequestT_contra, /) -> EstimateT:
        """Return the ensemble now; raise `IntegrationInaccurate`."""

    def known(self, request: RequestT_contra, estimate: EstimateT, /) -> Known:
        """Put an estimate into words."""

    def wide(self, request: RequestT_contra, estimate: EstimateT, /) -> tuple[str, ...]:
        """Return why the estimate is not enough for a probability."""

    def foretell(
        self, request: RequestT_contra, estimate: EstimateT, sides: Sequence[Side], /
    ) -> Foretold:
        """Carry the ensemble to the horizon; raise `IntegrationInaccurate` or `SelfCheckFailed`."""


def run(process: Process[RequestT_contra, EstimateT], request: RequestT_contra) -> Forecast:
    """Answer a request; raise `RequestInvalid` when it cannot be read as a batch."""
    process.require(request)
    units = process.units(request)
    _require_units(request, units)
    silent = _silent(process, request)
    if outside := process.outside(request):
        return replace(silent, status="out-of-domain", reasons=outside)
    if scarce := process.scarce(request):
        return replace(silent, reasons=scarce)
    try:
        estimate = process.estimate(request)
    except IntegrationInaccurate as inaccurate:
        return replace(silent, reasons=(str(inaccurate),))
    known = process.known(request, estimate)
    silent = replace(
        silent,
        integration_error=known.error,
        parameters=known.parameters,
        residuals=known.residuals,
    )
    if wide := process.wide(request, estimate):
        return replace(silent, reasons=wide)
    try:
        future = process.foretell(request, estimate, crossing.sides(request.limits))
    except (IntegrationInaccurate, SelfCheckFailed) as failed:
        return replace(silent, reasons=(str(failed),))
    return replace(
        silent,
        status="forecast",
        reasons=future.notes,
        integration_error=max(known.error, future.error),
        limits=tuple(_limit(side, future) for side in crossing.sides(request.limits)),
        trajectories=tuple(
            describing.trajectory(tag, units[tag], future.paths[tag], future.ends_h)
            for tag in sorted(future.paths)
        ),
    )


def _silent(process: Process[RequestT_contra, EstimateT], request: RequestT_contra) -> Forecast:
    return Forecast(
        status="undecided",
        reasons=(),
        as_of_h=request.as_of_h,
        horizon_h=request.horizon_h,
        seed=request.seed,
        members=process.MEMBERS,
        integration_error=None,
        limits=tuple(describing.limit(side, None, None) for side in crossing.sides(request.limits)),
        trajectories=(),
        parameters=(),
        residuals=(),
        code_digest=documents.code_digest(),
        parameters_digest=documents.digest(process.DECLARATION),
        input_digest=documents.digest(request),
    )


def _limit(side: Side, future: Foretold) -> LimitForecast:
    paths = future.paths.get(side.limit.tag)
    if paths is None or not side.applies_between(future.ends_h[0], future.ends_h[-1]):
        return describing.limit(side, None, None)
    hours = crossing.first_crossings(side, paths, future.ends_h)
    shift = future.shifts.get(side.limit.tag, 0.0)
    return describing.limit(side, hours, future.explained.get(side), shift)


def _require_units(request: Request, units: Mapping[str, str]) -> None:
    for limit in request.limits:
        if limit.tag not in units:
            raise RequestInvalid(f"this twin does not forecast {limit.tag}")
        if limit.unit != units[limit.tag]:
            raise RequestInvalid(
                f"the limit of {limit.tag} is in {limit.unit}, not {units[limit.tag]}"
            )
