"""Conclude and close an OOS investigation; the quality unit has the last word (211.22(a), 211.192)."""

from datetime import datetime

from batches.laboratory import oos as investigations
from batches.laboratory.actions import Action
from batches.laboratory.models import (
    Conclusion,
    OosInvestigation,
    OosState,
    ResultInvalidation,
)
from batches.laboratory.oos import OosIncomplete
from batches.laboratory.states import OosStep
from compliance.access import authority
from compliance.access.duties import Duty
from compliance.access.models import User
from compliance.refusals import Refused
from compliance.signatures import signing
from compliance.signatures.models import Meaning
from compliance.signatures.signing import Confirmed
from compliance.trail import recording


class NoAssignableCause(Refused):
    """Only an assignable cause with evidence invalidates a result; a passing retest does not."""

    code = "no-assignable-cause"


class InvestigatorIsApprover(Refused):
    code = "investigator-is-approver"


class DeviationNeeded(Refused):
    """A confirmed OOS is carried into a deviation, where its cause in production is sought."""

    code = "oos-needs-deviation"


def conclude(
    oos: OosInvestigation, *, conclusion: Conclusion, text: str, confirmed: Confirmed
) -> OosInvestigation:
    """Draw the conclusion by signature of the investigator; quality closes it."""
    actor, at = confirmed.signer, confirmed.at
    authority.demand(actor, Duty.INVESTIGATE_OOS)
    if conclusion == Conclusion.NONE or len(text.strip()) < 20:
        raise OosIncomplete("a conclusion says in 20 characters or more what follows from what")
    with recording.recording(
        Action.OOS_CONCLUDED, actor=actor, at=at, reason=f"{oos}: {conclusion.label}"
    ):
        locked = investigations.take(oos, OosStep.CONCLUDE)
        investigations.demand_not_analyst(locked, actor)
        if conclusion == Conclusion.INVALIDATED and not locked.has_cause:
            raise NoAssignableCause(
                f"{locked}: no assignable cause is on record, so the result is not invalidated; "
                "passing retests alone do not invalidate it"
            )
        if locked.state != OosState.CAUSE_FOUND and not locked.production_review:
            raise OosIncomplete(f"{locked}: Phase II needs the review of production")
        locked.state = OosState.CONCLUDED
        locked.conclusion, locked.conclusion_text = conclusion, text.strip()
        locked.concluded_at = at
        locked.save()
        signing.sign(
            locked, meaning=Meaning.INVESTIGATED, confirmed=confirmed, comment="conclusion"
        )
    return locked


def send_back(oos: OosInvestigation, *, actor: User, at: datetime, reason: str) -> OosInvestigation:
    """Send a plan or a conclusion back to the investigator: quality does not agree.

    A cause that quality does not accept is none any more; the trail keeps what was said.
    """
    authority.demand(actor, Duty.APPROVE_OOS)
    text = recording.demand_reason(reason)
    with recording.recording(Action.OOS_INVESTIGATED, actor=actor, at=at, reason=text):
        locked = investigations.take(oos, OosStep.SEND_BACK)
        if locked.state == OosState.CONCLUDED:
            locked.has_cause = False
            locked.conclusion, locked.conclusion_text = Conclusion.NONE, ""
            locked.concluded_at = None
        is_retested = locked.plan_approved_at is not None
        locked.state = OosState.RETESTED if is_retested else OosState.PHASE_TWO
        locked.save()
    return locked


def close(oos: OosInvestigation, *, confirmed: Confirmed, reason: str) -> OosInvestigation:
    """Close an investigation by signature of quality; with a cause, its result is invalidated."""
    actor, at = confirmed.signer, confirmed.at
    authority.demand(actor, Duty.APPROVE_OOS)
    text = recording.demand_reason(reason)
    with recording.recording(Action.OOS_CLOSED, actor=actor, at=at, reason=text):
        locked = investigations.take(oos, OosStep.CLOSE)
        if actor.pk == locked.investigator_id or _signed_by(locked, actor):
            raise InvestigatorIsApprover(f"{locked}: whoever investigated does not close it")
        investigations.demand_not_analyst(locked, actor)
        if locked.retests.filter(analyst=actor).exists():
            raise InvestigatorIsApprover(f"{locked}: whoever retested does not close it")
        if locked.conclusion == Conclusion.CONFIRMED and not locked.deviation_links.exists():
            raise DeviationNeeded(
                f"{locked} is confirmed: link the deviation that carries it on, then close it"
            )
        signing.sign(locked, meaning=Meaning.CLOSED, confirmed=confirmed, comment=text)
        locked.state, locked.approver, locked.closed_at = OosState.CLOSED, actor, at
        locked.save(update_fields=["state", "approver", "closed_at"])
        if locked.conclusion == Conclusion.INVALIDATED and locked.result is not None:
            ResultInvalidation.objects.create(result=locked.result, oos=locked, invalidated_at=at)
    return locked


def _signed_by(oos: OosInvestigation, person: User) -> bool:
    return any(
        one.signer_id == person.pk and one.meaning == Meaning.INVESTIGATED
        for one in signing.of(oos)
    )
