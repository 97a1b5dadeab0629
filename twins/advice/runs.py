"""Run advice once for a request, so that the run can be repeated to the byte."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from batches.execution.models import Batch
from twins.advice import question_bytes, terms
from twins.advice.models import GIVEN, Proposal, ProposalState
from twins.advice.requests import ROOM
from twins.hub import versions
from twins.models.advice import advising
from twins.models.advice.answers import Advice, Chance
from twins.models.advice.questions import AdviceRequest
from twins.predictions import inputs, request_bytes
from twins.predictions.asked.running import Outcome, Work
from twins.predictions.said import digits


def answer(name: str, *, given: bytes) -> tuple[Advice, bytes]:
    """Ask the installed twin from the stored bytes of a question; return the advice's bytes too."""
    advice = advising.run(question_bytes.read(given, twin=name))
    return advice, request_bytes.write(advice)


def _question(proposal: Proposal) -> bytes:
    alert = proposal.alert
    allowed = terms.of(alert.batch.recipe)
    version = proposal.prediction.model_version
    versions.demand_in_use(version)  # it may have been retired since it was asked
    twin = versions.installed(version.name)
    asked: AdviceRequest[Any] = AdviceRequest(
        forecast=twin.read(request_bytes.document(proposal.prediction.input.encode())),
        tag=alert.tag,
        side=alert.side,  # type: ignore[arg-type]
        target=allowed.target,
        delay_h=allowed.delay_h,
        range=allowed.range,
    )
    return question_bytes.write(asked)


def _concluded(proposal: Proposal, given: bytes, advice: Advice) -> Outcome:
    asked = question_bytes.read(given, twin=proposal.prediction.model_version.name)
    state = ProposalState.OPEN if advice.outcome == "move" else ProposalState.STATED
    return Outcome(state, advice.outcome, told=_told(proposal.alert.batch, asked, advice))


def _supersede_older(proposal: Proposal, outcome: Outcome, at: datetime) -> Mapping[str, Any]:
    """End the open proposal of an older request, or this one, when a newer has been given."""
    if outcome.refusal:
        return {}
    of_alert = Proposal.objects.filter(alert=proposal.alert_id)
    newer = of_alert.filter(pk__gt=proposal.pk, state__in=GIVEN).order_by("-pk").first()
    if newer is not None:
        return {"state": ProposalState.SUPERSEDED, "superseded_by": newer, "ended_at": at}
    of_alert.filter(pk__lt=proposal.pk, state=ProposalState.OPEN).update(
        state=ProposalState.SUPERSEDED, superseded_by=proposal, ended_at=at
    )
    return {}


def _told(batch: Batch, asked: AdviceRequest[Any], advice: Advice) -> dict[str, Any]:
    """Return what lists and pages show of an answer without reading its document."""

    def moment(hour: float) -> datetime:
        return inputs.start_of(batch) + timedelta(hours=hour)

    side = advice.sides[0] if advice.sides else None
    safe = advice.last_safe
    starts_h = asked.forecast.as_of_h + asked.delay_h
    return {
        "outcome": advice.outcome,
        "range_low": digits(asked.range.low),
        "range_high": digits(asked.range.high),
        "range_source": asked.range.source[:200],
        "target": digits(asked.target),
        "before": _chance(side.before if side else None),
        "after": _chance(side.after if side else None),
        "added_l": digits(advice.move.added_l if advice.move else None),
        "starts_at": moment(starts_h) if advice.move else None,
        "last_safe_at": moment(safe.at_h) if safe else None,
        "last_safe_low_at": moment(safe.low_h) if safe else None,
        "last_safe_high_at": moment(safe.high_h) if safe else None,
    }


def _chance(chance: Chance | None) -> list[str]:
    if chance is None:
        return []
    return [digits(one) for one in (chance.probability, chance.low, chance.high)]


def _code(proposal: Proposal) -> tuple[str, str]:
    version = proposal.prediction.model_version
    return version.code_digest, versions.installed(version.name).code_digest()


_WORK = Work(
    ROOM,
    ask=_question,
    answer=lambda row, given: answer(row.prediction.model_version.name, given=given),
    conclude=_concluded,
    package="casadi",
    code=_code,
    beside=_supersede_older,
)
advise, execute, replay = _WORK.run, _WORK.execute, _WORK.replay
