"""Release a batch, reject it, hold it, have it reworked or recall it, by signature (211.22, 211.192)."""

from dataclasses import dataclass
from datetime import date

from batches.disposition import makers, reviews
from batches.disposition.actions import Action
from batches.disposition.models import RELEASES, BatchReview, Decision, Outcome
from batches.execution import blockers, states
from batches.execution.models import Batch, DispositionState
from batches.execution.states import Step
from compliance.access import authority
from compliance.access.duties import Duty
from compliance.refusals import Refused
from compliance.signatures import signing
from compliance.signatures.models import Meaning
from compliance.signatures.signing import Confirmed
from compliance.trail import recording


class DispositionBlocked(Refused):
    """Something stands against the release; `errors` names all of it."""

    code = "disposition-blocked"


class OutcomeUnknown(Refused):
    code = "outcome-unknown"
    status = 422


class ReferenceNeeded(Refused):
    """A rework follows an order of its own (21 CFR 211.115)."""

    code = "reference-needed"
    status = 422


class ExpiryInvalid(Refused):
    """Its retention counts from the expiry: an early one would end it early."""

    code = "expiry-invalid"
    status = 422


@dataclass(frozen=True)
class Rule:
    """What an outcome asks of the batch's state, how it is signed, and what the batch becomes."""

    step: Step
    meaning: Meaning
    becomes: DispositionState


RULES: dict[Outcome, Rule] = {
    Outcome.RELEASED: Rule(Step.RELEASE, Meaning.RELEASED, DispositionState.RELEASED),
    Outcome.CONFIRMED: Rule(Step.CONFIRM_RELEASE, Meaning.RELEASED, DispositionState.RELEASED),
    Outcome.REJECTED: Rule(Step.REJECT, Meaning.REJECTED, DispositionState.REJECTED),
    Outcome.HELD: Rule(Step.HOLD, Meaning.APPROVED, DispositionState.HELD),
    # Whatever stood before the hold is evaluated anew.
    Outcome.LIFTED: Rule(Step.LIFT_HOLD, Meaning.APPROVED, DispositionState.PENDING),
    Outcome.REWORK: Rule(Step.REWORK, Meaning.APPROVED, DispositionState.REWORK),
    Outcome.REWORKED: Rule(Step.END_REWORK, Meaning.APPROVED, DispositionState.PENDING),
    Outcome.RECALLED: Rule(Step.RECALL, Meaning.APPROVED, DispositionState.RECALLED),
}


def decide(
    batch: Batch, *, outcome: str, confirmed: Confirmed, reason: str, reference: str = "",
    expires_on: date | None = None,
) -> Decision:  # fmt: skip
    """Decide about a batch; raise `DispositionBlocked` with every objection to a release."""
    actor, at = confirmed.signer, confirmed.at
    authority.demand(actor, Duty.DECIDE_DISPOSITION)
    chosen = _known(outcome)
    rule = RULES[chosen]
    text = recording.demand_reason(reason)
    if chosen == Outcome.REWORK and not reference.strip():
        raise ReferenceNeeded("a rework needs the reference of its order")
    if expires_on is not None and expires_on <= at.date():
        raise ExpiryInvalid(f"{batch.number} would be expired already on {expires_on}")
    with recording.recording(Action.BATCH_DISPOSITIONED, actor=actor, at=at, reason=text):
        held = states.take(batch, rule.step)
        review = _demand_releasable(held) if chosen in RELEASES else None
        if review is not None:
            makers.demand_other(held, actor)
        signature = signing.sign(held, meaning=rule.meaning, confirmed=confirmed, comment=text)
        if review is not None and signature.record_digest != review.content_digest:
            raise reviews.RecordChanged(f"{held.number} changed after its review; review it again")
        if held.disposition != rule.becomes:
            held.disposition = rule.becomes
            held.save(update_fields=["disposition"])
        return Decision.objects.create(
            batch=held, outcome=chosen, reason=text, reference=reference.strip(),
            expires_on=expires_on, review=review, signature=signature, decided_at=at,
        )  # fmt: skip


def _known(outcome: str) -> Outcome:
    try:
        return Outcome(str(outcome))
    except ValueError as error:
        known = ", ".join(Outcome.values)
        raise OutcomeUnknown(f"“{outcome}” is no decision; there are: {known}") from error


def _demand_releasable(batch: Batch) -> BatchReview:
    found = blockers.of(batch)
    if found:
        raise DispositionBlocked(
            f"{batch.number} cannot be released: " + "; ".join(blocker.text for blocker in found),
            errors=[
                {"pointer": "/outcome", "code": blocker.name, "detail": blocker.text}
                for blocker in found
            ],
        )
    review = reviews.current(batch)
    if review is None:  # a blocker says it kindly; without one there is no release in any case
        raise reviews.RecordChanged(f"{batch.number} is not reviewed as it is now")
    return review
