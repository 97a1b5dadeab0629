"""Forecast which limits a CHO fed-batch will cross, and why: what is particular to this culture.

The steps that every forecast takes are those of `foretelling`.
"""

import sys
from collections.abc import Mapping, Sequence
from typing import cast

from twins.models import (
    attribution,
    control_loops,
    describing,
    domain,
    estimation,
    foretelling,
    projection,
    requests,
    sharing,
)
from twins.models.cho_fed_batch import measuring
from twins.models.cho_fed_batch.declared import DECLARATION, LOOPS, UNCERTAIN, UNITS
from twins.models.crossing import Side
from twins.models.estimation import MEMBERS, Estimate
from twins.models.forecasts import Forecast
from twins.models.foretelling import Foretold, Known, Process
from twins.models.requests import ForecastRequest

__all__ = ["DECLARATION", "MEMBERS"]


def run(request: ForecastRequest) -> Forecast:
    """Answer a request; raise `RequestInvalid` when it cannot be read as a batch."""
    here = cast("Process[ForecastRequest, Estimate]", sys.modules[__name__])
    return foretelling.run(here, request)


def require(request: ForecastRequest) -> None:
    """Raise `RequestInvalid` when the request cannot be read as a culture."""
    requests.require_sound(request)


def units(request: ForecastRequest) -> Mapping[str, str]:
    """Return the unit of each process value."""
    return UNITS


def outside(request: ForecastRequest) -> tuple[str, ...]:
    """Return why the twin may not answer; empty inside its declared input space."""
    return domain.outside(request, domain.means_by_tag(request))


def scarce(request: ForecastRequest) -> tuple[str, ...]:
    """Return why the data are not enough for an estimate."""
    return domain.undecided(request, domain.means_by_tag(request), None)


def estimate(request: ForecastRequest) -> Estimate:
    """Return the ensemble now; raise `IntegrationInaccurate`."""
    return estimation.assimilate(request)


def known(request: ForecastRequest, found: Estimate) -> Known:
    """Put an estimate into words."""
    return Known(
        error=found.error,
        parameters=describing.parameters(found.rows[-len(UNCERTAIN) :], UNCERTAIN),
        residuals=describing.residuals(
            found.innovations, tags=measuring.ASSIMILATED, as_of_h=request.as_of_h
        ),
    )


def wide(request: ForecastRequest, found: Estimate) -> tuple[str, ...]:
    """Return why the estimate is not enough for a probability."""
    return domain.undecided(request, domain.means_by_tag(request), found)


def foretell(request: ForecastRequest, found: Estimate, sides: Sequence[Side]) -> Foretold:
    """Carry the ensemble to the horizon; raise `IntegrationInaccurate` or `SelfCheckFailed`."""
    future = projection.project(request, found.rows)
    applying = [one for one in sides if one.applies_between(future.ends_h[0], future.ends_h[-1])]
    means = domain.means_by_tag(request)
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
        for side in applying:
            if side.limit.tag == output.tag:
                explained[side] = sharing.of_loop(output.tag, side, variants, future.ends_h)
    of_process = [side for side in applying if side.limit.tag in measuring.PROCESS_VALUES]
    explained.update(
        zip(of_process, attribution.of_process(request, found, of_process), strict=True)
    )
    return Foretold(future.ends_h, paths, future.error, explained)
