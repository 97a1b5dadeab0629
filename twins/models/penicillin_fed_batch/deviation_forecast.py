"""Forecast which limits a penicillin batch will cross, and why: what is particular to this fermentation.

The steps that every forecast takes are those of `foretelling`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from twins.models import crossing, describing, integrate, sharing
from twins.models.crossing import Side
from twins.models.describing import Explanation
from twins.models.forecasts import Innovation
from twins.models.foretelling import Foretold, Known
from twins.models.integrate import IntegrationInaccurate
from twins.models.penicillin_fed_batch import (
    asking,
    attributing,
    estimating,
    holding,
    measuring,
    misfit,
    planning,
    projecting,
    simulation,
    trusting,
)
from twins.models.penicillin_fed_batch import layout as at
from twins.models.penicillin_fed_batch.asking import FermentationRequest
from twins.models.penicillin_fed_batch.attributing import EXPLAINED_FROM
from twins.models.penicillin_fed_batch.declared import DECLARATION
from twins.models.penicillin_fed_batch.following import MEMBERS, SAMPLE_H, SAMPLES_AN_HOUR
from twins.models.penicillin_fed_batch.holding import LOOPS
from twins.models.penicillin_fed_batch.planning import Flows
from twins.models.penicillin_fed_batch.projecting import Course
from twins.models.penicillin_fed_batch.replaying import TOLERANCE, Estimate, FloatArray

__all__ = ["DECLARATION", "MEMBERS"]

# The spread is as wide as batches need that the equations describe badly, so in most batches members
# cross more often than the batch does: by this in log-odds, from 60 normal batches (docs/penicillin.md).
# What loops hold needs no shift.
SHIFT = -0.6

_UNITS: Mapping[str, str] = {
    one.tag.removeprefix("lab_"): one.unit for one in measuring.OUTPUTS
} | {"sugar_g_l": "g/L", "volume_l": "L"}


def require(request: FermentationRequest) -> None:
    """Raise `RequestInvalid` when the request cannot be read as a batch."""
    asking.require(request)


def units(request: FermentationRequest) -> Mapping[str, str]:
    """Return the unit of each process value, under the name that the recipe has for it."""
    return units_of(request.names)


def units_of(names: Mapping[str, str]) -> dict[str, str]:
    """Return the same for names of signals."""
    signals = (*projecting.VALUES, *(one.tag for one in LOOPS))
    return {names.get(one, one): _UNITS[one] for one in signals}


def shifts(request: FermentationRequest) -> Mapping[str, float]:
    """Return what is added to the log-odds of a limit's crossing, under the name of the request."""
    return {request.name(tag): SHIFT for tag in projecting.VALUES}


def outside(request: FermentationRequest) -> tuple[str, ...]:
    """Return why the twin may not answer; empty inside its declared input space."""
    return trusting.outside(request, request.arrays)


def scarce(request: FermentationRequest) -> tuple[str, ...]:
    """Return why the data are not enough for an estimate."""
    return trusting.scarce(request, request.arrays)


def estimate(request: FermentationRequest) -> Estimate:
    """Return the ensemble now; raise `IntegrationInaccurate`."""
    return estimating.estimate(request.arrays, seed=request.seed)


def known(request: FermentationRequest, found: Estimate) -> Known:
    """Put an estimate into words."""
    standardised = found.innovations[:, :, 0] / found.innovations[:, :, 1]
    return Known(
        error=found.error,
        parameters=describing.parameters(
            np.ascontiguousarray(found.ensembles[-1, :, at.STATES :].T), measuring.UNCERTAIN
        ),
        residuals=describing.residuals(
            [
                Innovation(measuring.TAGS[place], (sample + 1) * SAMPLE_H, float(value))
                for (sample, place), value in np.ndenumerate(standardised)
                if not np.isnan(value)
            ],
            tags=measuring.TAGS,
            as_of_h=request.as_of_h,
        ),
    )


def wide(request: FermentationRequest, found: Estimate) -> tuple[str, ...]:
    """Return why the estimate is not enough for a probability."""
    return trusting.wide(found)


@dataclass(frozen=True)
class Future:
    """What a future starts from, and what will flow and be held in it."""

    ends_h: tuple[float, ...]
    course: Course
    flows: Flows
    loops: Mapping[str, Mapping[str, FloatArray]]


def begin(request: FermentationRequest, found: Estimate) -> Future:
    """Return what the future of an estimate starts from."""
    ends_h = planning.ends(request)
    flows = planning.flows(request, found.inputs, ahead=SAMPLES_AN_HOUR * (len(ends_h) - 1))
    shares = planning.shares_of(request.seed)
    loops = {
        one.tag: holding.paths(request.arrays, one, flows.now, shares, seed=request.seed)
        for one in LOOPS
    }
    course = Course(
        rows=found.ensembles[-1],
        plan=flows.now,
        shares=shares,
        temperature_k=holding.sampled(loops["T"]["estimated"]),
        ph=holding.sampled(loops["pH"]["estimated"]),
        start_h=ends_h[0],
        widening=misfit.widening(misfit.of(found.innovations)),
    )
    return Future(ends_h, course, flows, loops)


def foretell(request: FermentationRequest, found: Estimate, sides: Sequence[Side]) -> Foretold:
    """Carry the ensemble to the horizon; raise `IntegrationInaccurate`.

    What can be foretold and not be explained, because a run without what departs is too inaccurate,
    is foretold without contributions, and that is said.
    """
    begun = begin(request, found)
    future = projecting.project(begun.course, seed=request.seed)
    loops = {tag: one["estimated"] for tag, one in begun.loops.items()}
    paths = {request.name(tag): one for tag, one in {**future.paths, **loops}.items()}
    applying = [one for one in sides if one.applies_between(begun.ends_h[0], begun.ends_h[-1])]
    explained = {
        one: _explained_loop(one, begun.loops[request.signal(one.limit.tag)], begun.ends_h)
        for one in applying
        if request.signal(one.limit.tag) in begun.loops
    }
    endangered = [
        one
        for one in applying
        if one not in explained
        and _probability(one, paths[one.limit.tag], begun.ends_h) >= EXPLAINED_FROM
    ]
    notes = planning.departed(request, begun.flows)
    try:
        explained |= _explained(request, found, begun, endangered)
    except IntegrationInaccurate as inaccurate:
        notes = (f"no contributions: {inaccurate}", *notes)
    return Foretold(begun.ends_h, paths, future.error, explained, notes, shifts(request))


def _explained(
    request: FermentationRequest, found: Estimate, begun: Future, endangered: Sequence[Side]
) -> Mapping[Side, Explanation]:
    if not endangered:
        return {}
    usual = replace(
        begun.course,
        rows=_recipe_now(request, found)[np.newaxis],
        plan=begun.flows.plan,
        temperature_k=holding.sampled(begun.loops["T"]["nominal"]),
        ph=holding.sampled(begun.loops["pH"]["nominal"]),
    )
    named = [(one, request.signal(one.limit.tag)) for one in endangered]
    return attributing.explain(begun.course, usual, named, begun.ends_h, seed=request.seed)


def _explained_loop(
    side: Side, variants: Mapping[str, FloatArray], ends_h: Sequence[float]
) -> Explanation:
    """Explain what a loop holds: by the excursion that it is in."""
    chain = [
        crossing.log_odds(_probability(side, variants[name], ends_h))
        for name in ("estimated", "nominal")
    ]
    return sharing.between([f"{side.limit.tag} excursion"], [[0]], [chain])


def _probability(side: Side, paths: FloatArray, ends_h: Sequence[float]) -> float:
    return crossing.probability(crossing.first_crossings(side, paths, ends_h))


def _recipe_now(request: FermentationRequest, found: Estimate) -> FloatArray:
    """Return states and constants that the recipe's batch would have now."""
    plan = planning.nominal(request, found.inputs)
    count = plan.shape[0]
    row = np.concatenate([simulation.inoculated(), [one.nominal for one in measuring.UNCERTAIN]])
    course = Course(
        rows=row[np.newaxis],
        plan=plan,
        shares=np.ones((1, at.INPUTS)),
        temperature_k=np.full((1, count), holding.usual(request.arrays, "T")),
        ph=np.full((1, count), holding.usual(request.arrays, "pH")),
        start_h=0.0,
    )
    states, error = projecting.carried(course, drawn=np.zeros((count, 1, measuring.ROWS)))
    integrate.require(error, tolerance=TOLERANCE)
    row[: at.STATES] = states[0, -1]
    return row
