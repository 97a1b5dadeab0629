"""Advise on the feed of a running batch whose limit is likely to be crossed: of any process.

A pure function: the same request gives the same answer. Nothing is done by it: what it proposes, a
person accepts or rejects, and does by the plant's own means. What is particular to a process is an
`Adviser`.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from twins.models import crossing, describing, documents
from twins.models.advice import chances, culture_feeds, fermentation_feeds, questions, schedules
from twins.models.advice.advisers import Adviser, Begun
from twins.models.advice.answers import Advice, Chance, Future, Move, Outcome, SideChance
from twins.models.advice.questions import AdviceRequest
from twins.models.advice.search import Found, Judge, Search
from twins.models.crossing import Side
from twins.models.integrate import IntegrationInaccurate
from twins.models.penicillin_fed_batch.asking import FermentationRequest
from twins.models.projection import Projection
from twins.models.requests import ForecastRequest, RequestInvalid

_ADVISERS: Mapping[type[Any], Any] = {
    ForecastRequest: culture_feeds,
    FermentationRequest: fermentation_feeds,
}


def run(request: AdviceRequest[Any]) -> Advice:
    """Answer a request; raise `RequestInvalid` when it contradicts itself."""
    adviser: Adviser[Any] = _ADVISERS[type(request.forecast)]
    adviser.require(request.forecast)
    questions.require_room(request)
    endangered = _endangered(request)
    silent = _silent(request, adviser)
    if endangered.limit.tag not in adviser.moved(request.forecast):
        return replace(
            silent,
            outcome="no-lever",
            reasons=(f"this twin knows no effect of the feed on {endangered.limit.tag}",),
        )
    try:
        if schedules.outside(schedules.of(request, start=request.delay_h)):
            return replace(
                silent,
                reasons=("the feed as is leaves the range in which a move has to stay",),
            )
        begun = adviser.begin(request.forecast)
        if isinstance(begun, tuple):
            return replace(silent, reasons=begun)
        return _advised(request, adviser, endangered, begun, silent)
    except IntegrationInaccurate as inaccurate:
        return replace(silent, reasons=(str(inaccurate),))


def _endangered(request: AdviceRequest[Any]) -> Side:
    for side in crossing.sides(request.forecast.limits):
        if (side.limit.tag, side.side) == (request.tag, request.side):
            return side
    raise RequestInvalid(f"the recipe has no {request.side} limit of {request.tag}")


def _advised(
    request: AdviceRequest[Any],
    adviser: Adviser[Any],
    endangered: Side,
    begun: Begun,
    silent: Advice,
) -> Advice:
    many, recipe = begun.ensemble, schedules.of(request, start=0).recipe
    as_is = many.under(recipe)
    sides = _sides(endangered, adviser.moved(request.forecast), request, as_is)
    before = tuple(chances.chance(side, as_is, of_each=many.of_each) for side in sides)
    known = replace(
        silent,
        integration_error=max(begun.error, as_is.error),
        sides=tuple(_side(side, one, None) for side, one in zip(sides, before, strict=True)),
        as_is=_future(sides, as_is, recipe),
    )
    if before[0].probability <= request.target:
        return replace(known, outcome="none-needed")
    if not any(chances.applies(endangered, as_is.ends_h)[1:]):
        return replace(silent, reasons=(_not_applying(endangered),))
    judge = Judge(many, sides, request.target, before, as_is.error)
    search = Search(request, adviser.program(request, begun, as_is, judge), judge)
    strongest = search.strongest(request.delay_h)
    if not judge.is_enough(strongest.chances):
        return _told(known, "not-enough", strongest, judge)
    told = _told(known, "move", search.smallest(strongest), judge)
    return replace(told, last_safe=search.last_safe(), integration_error=_worst(told, judge))


def _not_applying(side: Side) -> str:
    limit = side.limit
    until = limit.applies_until_h
    when = (
        f"no longer applies after {until:g} h"
        if until is not None
        else f"does not apply before {limit.applies_from_h:g} h"
    )
    return f"the {side.side} limit of {limit.tag} {when}: there is nothing to be advised"


def _told(known: Advice, outcome: Outcome, found: Found, judge: Judge) -> Advice:
    """Return an answer with a move, carried through the futures once more for its intervals."""
    rates, of_each = found.schedule.rates(found.settings), judge.ensemble.of_each
    moved = judge.ensemble.under(rates)
    move: Move = found.schedule.move(found.settings)
    return replace(
        known,
        outcome=outcome,
        move=move,
        integration_error=_worst(known, judge),
        sides=tuple(
            _side(side, before, chances.chance(side, moved, of_each=of_each))
            for side, before in zip(judge.sides, judge.before, strict=True)
        ),
        moved=_future(judge.sides, moved, rates),
    )


def _worst(known: Advice, judge: Judge) -> float:
    return max(known.integration_error or 0.0, judge.error)


def _sides(
    endangered: Side, moved: Collection[str], request: AdviceRequest[Any], future: Projection
) -> tuple[Side, ...]:
    """Return the endangered side and after it the others that the feed can act on."""
    others = [
        side
        for side in crossing.sides(request.forecast.limits)
        if side.limit.tag in moved and side != endangered
    ]
    return (
        endangered,
        *(side for side in others if any(chances.applies(side, future.ends_h)[1:])),
    )


def _side(side: Side, before: Chance, after: Chance | None) -> SideChance:
    return SideChance(side.limit.tag, side.side, side.bound, side.limit.unit, before, after)


def _future(sides: Sequence[Side], future: Projection, rates: tuple[float, ...]) -> Future:
    units = {side.limit.tag: side.limit.unit for side in sides}
    return Future(
        feed=schedules.steps(future.ends_h, rates),
        trajectories=tuple(
            describing.trajectory(tag, unit, future.paths[tag], future.ends_h)
            for tag, unit in units.items()
        ),
    )


def _silent(request: AdviceRequest[Any], adviser: Adviser[Any]) -> Advice:
    return Advice(
        outcome="undecided",
        reasons=(),
        as_of_h=request.forecast.as_of_h,
        horizon_h=request.forecast.horizon_h,
        tag=request.tag,
        side=request.side,
        target=request.target,
        seed=request.forecast.seed,
        futures=adviser.COUNT,
        integration_error=None,
        move=None,
        last_safe=None,
        sides=(),
        as_is=None,
        moved=None,
        code_digest=documents.code_digest(),
        parameters_digest=documents.digest(adviser.DECLARATION),
        input_digest=documents.digest(request),
    )
