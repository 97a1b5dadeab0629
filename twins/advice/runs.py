"""Run advice once for a request, so that the run can be repeated to the byte."""

import logging
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from importlib.metadata import version as installed_version
from typing import Any

from celery.exceptions import SoftTimeLimitExceeded

from batches.execution.models import Batch
from compliance.refusals import Refused
from compliance.trail import recording
from twins.advice import question_bytes, requests, terms
from twins.advice.actions import Action
from twins.advice.models import GIVEN, Proposal, ProposalState
from twins.hub import versions
from twins.models.advice import advising
from twins.models.advice.answers import Advice, Chance
from twins.models.advice.questions import AdviceRequest
from twins.predictions import environment, inputs, leases, request_bytes
from twins.predictions import runs as predictions
from twins.predictions.said import digits

log = logging.getLogger(__name__)


class AdviceBroken(Refused):
    """The twin raised an error that is none of its refusals."""

    code = "advice-broken"


class AdviceClaimLost(Refused):
    """Another worker took the run over, and its result is the one that counts."""

    code = "advice-claim-lost"


@dataclass(frozen=True)
class Outcome:
    """What a run came to: advice, or the problem that kept it from some."""

    input: bytes = b""
    output: bytes = b""
    advice: Advice | None = None
    refusal: str = ""
    problem: str = ""
    told: dict[str, Any] = field(default_factory=dict)


def advise(proposal: Proposal, *, at: datetime) -> Proposal | None:
    """Claim a request and execute it; return None when somebody else does or has."""
    return execute(proposal, at=at) if requests.claim(proposal, at=at) else None


def execute(proposal: Proposal, *, at: datetime) -> Proposal:
    """Run a claimed request and record how it ended; an older open proposal is superseded by it.

    Raise `AdviceClaimLost` when it took so long that another worker has taken it over.
    """
    began = time.monotonic()
    with leases.held(proposal, action=Action.ADVICE_CLAIMED, actor=requests.WORKER):
        outcome = _outcome(proposal)
    ended_at = at + timedelta(seconds=time.monotonic() - began)
    with recording.recording(
        Action.ADVICE_FAILED if outcome.refusal else Action.ADVICE_GIVEN,
        actor=requests.WORKER,
        at=ended_at,
        reason=outcome.problem[:500] or f"advice on {proposal.alert}: {outcome.told['outcome']}",
    ):
        newer = _supersede_older(proposal, at=ended_at) if outcome.advice else None
        changed = leases.own(proposal).update(
            state=ProposalState.SUPERSEDED if newer else _state(outcome),
            superseded_by=newer,
            ended_at=ended_at if newer else None,
            input=outcome.input.decode(),
            input_digest=predictions.digest(outcome.input) if outcome.input else "",
            output=outcome.output.decode(),
            output_digest=predictions.digest(outcome.output) if outcome.output else "",
            environment=environment_here(),
            finished_at=ended_at,
            refusal=outcome.refusal,
            problem=outcome.problem,
            **outcome.told,
        )
        if not changed:
            raise AdviceClaimLost(f"{proposal} was taken over by another worker")
    proposal.refresh_from_db()
    return proposal


def environment_here() -> dict[str, str]:
    """Say what the last bits of advice can depend on beside code, parameters and input."""
    return {**environment.current(), "casadi": installed_version("casadi")}


def answer(name: str, *, given: bytes) -> tuple[Advice, bytes]:
    """Ask the installed twin from the stored bytes of a question; return the advice's bytes too."""
    advice = advising.run(question_bytes.read(given, twin=name))
    return advice, request_bytes.write(advice)


def _state(outcome: Outcome) -> ProposalState:
    if outcome.advice is None:
        return ProposalState.FAILED
    return ProposalState.OPEN if outcome.advice.outcome == "move" else ProposalState.STATED


def _outcome(proposal: Proposal) -> Outcome:
    given = b""
    try:
        asked = _question(proposal)
        given = question_bytes.write(asked)
        # From the bytes, not from the question: a replay has nothing else.
        advice, output = answer(proposal.prediction.model_version.name, given=given)
    except (SoftTimeLimitExceeded, MemoryError):
        raise  # says something of the worker, and nothing of the batch: another one takes it over
    except Refused as refused:
        return Outcome(input=given, refusal=refused.code, problem=str(refused))
    except Exception as error:
        # Advice is pure: what it raises for this input it raises each time, so it is the outcome.
        log.exception("%s failed", proposal)
        problem = f"{type(error).__name__}: {error}"
        return Outcome(input=given, refusal=AdviceBroken.code, problem=problem)
    return Outcome(given, output, advice, told=_told(proposal.alert.batch, asked, advice))


def _question(proposal: Proposal) -> AdviceRequest[Any]:
    alert = proposal.alert
    allowed = terms.of(alert.batch.recipe)
    version = proposal.prediction.model_version
    versions.demand_in_use(version)  # it may have been retired since it was asked
    twin = versions.installed(version.name)
    return AdviceRequest(
        forecast=twin.read(request_bytes.document(proposal.prediction.input.encode())),
        tag=alert.tag,
        side=alert.side,  # type: ignore[arg-type]
        target=allowed.target,
        delay_h=allowed.delay_h,
        range=allowed.range,
    )


def _supersede_older(proposal: Proposal, *, at: datetime) -> Proposal | None:
    """End the open proposal of an older request; return the one of a newer request, if given."""
    of_alert = Proposal.objects.filter(alert=proposal.alert_id)
    newer = of_alert.filter(pk__gt=proposal.pk, state__in=GIVEN).order_by("-pk").first()
    if newer is None:
        of_alert.filter(pk__lt=proposal.pk, state=ProposalState.OPEN).update(
            state=ProposalState.SUPERSEDED, superseded_by=proposal, ended_at=at
        )
    return newer


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
