"""Advise on the feed of a running CHO fed-batch whose limit is likely to be crossed.

A pure function: the same request gives the same answer. Nothing is done by it: what it proposes, a
person accepts or rejects, and does by the plant's own means.
"""

from collections.abc import Sequence
from dataclasses import replace

from twins.models import crossing, describing, documents, domain, estimation
from twins.models.advice import futures, questions, schedules
from twins.models.advice.answers import Advice, Chance, Future, Move, Outcome, SideChance
from twins.models.advice.futures import Futures
from twins.models.advice.program import Program
from twins.models.advice.questions import AdviceRequest
from twins.models.advice.search import Found, Judge, Search
from twins.models.cho_fed_batch import measuring
from twins.models.cho_fed_batch.declared import DECLARATION, UNITS
from twins.models.crossing import Side
from twins.models.estimation import Estimate
from twins.models.integrate import IntegrationInaccurate
from twins.models.projection import Projection
from twins.models.requests import RequestInvalid


def run(request: AdviceRequest) -> Advice:
    """Answer a request; raise `RequestInvalid` when it contradicts itself."""
    questions.require_sound(request)
    endangered = _endangered(request)
    silent = _silent(request)
    if endangered.limit.tag not in measuring.PROCESS_VALUES:
        return replace(
            silent,
            outcome="no-lever",
            reasons=(f"this twin knows no effect of the feed on {endangered.limit.tag}",),
        )
    try:
        estimate, reasons = _estimated(request)
        if estimate is None or reasons:
            return replace(silent, reasons=reasons)
        return _advised(request, endangered, estimate, silent)
    except IntegrationInaccurate as inaccurate:
        return replace(silent, reasons=(str(inaccurate),))


def _endangered(request: AdviceRequest) -> Side:
    for side in crossing.sides(request.forecast.limits):
        if (side.limit.tag, side.side) == (request.tag, request.side):
            return side
    raise RequestInvalid(f"the recipe has no {request.side} limit of {request.tag}")


def _estimated(request: AdviceRequest) -> tuple[Estimate | None, tuple[str, ...]]:
    """Return the estimate of the forecast itself, or why there is none to advise on."""
    asked = request.forecast
    means = domain.means_by_tag(asked)
    reasons = domain.outside(asked, means) or domain.undecided(asked, means, None)
    if reasons:
        return None, reasons
    if schedules.outside(schedules.of(request, start=request.delay_h)):
        return None, ("the recipe's own feed leaves the range in which a move has to stay",)
    estimate = estimation.assimilate(asked)
    return estimate, domain.undecided(asked, means, estimate)


def _advised(
    request: AdviceRequest, endangered: Side, estimate: Estimate, silent: Advice
) -> Advice:
    many = Futures(request.forecast, estimate.rows)
    recipe = schedules.recipe_rates(request)
    as_is = many.under(recipe)
    sides = _sides(request, endangered, as_is)
    before = tuple(futures.chance(side, as_is) for side in sides)
    known = replace(
        silent,
        integration_error=max(estimate.error, as_is.error),
        sides=tuple(_side(side, one, None) for side, one in zip(sides, before, strict=True)),
        as_is=_future(sides, as_is, recipe),
    )
    if before[0].probability <= request.target:
        return replace(known, outcome="none-needed")
    judge = Judge(many, sides, request.target, before, as_is.error)
    blocks = len(schedules.of(request, start=request.delay_h).blocks)
    program = Program(request, estimate.rows, as_is, sides, blocks=blocks)
    search = Search(request, program, judge)
    strongest = search.strongest(request.delay_h)
    if not judge.is_enough(strongest.chances):
        return _told(known, "not-enough", strongest, judge)
    told = _told(known, "move", search.smallest(strongest), judge)
    return replace(told, last_safe=search.last_safe(), integration_error=_worst(told, judge))


def _told(known: Advice, outcome: Outcome, found: Found, judge: Judge) -> Advice:
    """Return an answer with a move, carried through the futures once more for its intervals."""
    rates = found.schedule.rates(found.settings)
    moved = judge.ensemble.under(rates)
    move: Move = found.schedule.move(found.settings)
    return replace(
        known,
        outcome=outcome,
        move=move,
        integration_error=_worst(known, judge),
        sides=tuple(
            _side(side, before, futures.chance(side, moved))
            for side, before in zip(judge.sides, judge.before, strict=True)
        ),
        moved=_future(judge.sides, moved, rates),
    )


def _worst(known: Advice, judge: Judge) -> float:
    return max(known.integration_error or 0.0, judge.error)


def _sides(request: AdviceRequest, endangered: Side, future: Projection) -> tuple[Side, ...]:
    """Return the endangered side and after it the others that the feed can act on."""
    others = [
        side
        for side in crossing.sides(request.forecast.limits)
        if side.limit.tag in measuring.PROCESS_VALUES and side != endangered
    ]
    return (
        endangered,
        *(side for side in others if any(futures.applies(side, future.ends_h)[1:])),
    )


def _side(side: Side, before: Chance, after: Chance | None) -> SideChance:
    return SideChance(side.limit.tag, side.side, side.bound, side.limit.unit, before, after)


def _future(sides: Sequence[Side], future: Projection, rates: tuple[float, ...]) -> Future:
    tags = dict.fromkeys(side.limit.tag for side in sides)
    return Future(
        feed=schedules.steps(future.ends_h, rates),
        trajectories=tuple(
            describing.trajectory(tag, UNITS[tag], future.paths[tag], future.ends_h) for tag in tags
        ),
    )


def _silent(request: AdviceRequest) -> Advice:
    return Advice(
        outcome="undecided",
        reasons=(),
        as_of_h=request.forecast.as_of_h,
        horizon_h=request.forecast.horizon_h,
        tag=request.tag,
        side=request.side,
        target=request.target,
        seed=request.forecast.seed,
        futures=futures.COUNT,
        integration_error=None,
        move=None,
        last_safe=None,
        sides=(),
        as_is=None,
        moved=None,
        code_digest=documents.code_digest(),
        parameters_digest=documents.digest(DECLARATION),
        input_digest=documents.digest(request),
    )
