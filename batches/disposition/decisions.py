"""Release or reject a batch by signature, when nothing stands against it (21 CFR 211.192)."""

from batches.disposition.actions import Action
from batches.disposition.models import Decision
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


_OUTCOMES = {
    DispositionState.RELEASED: (Step.RELEASE, Meaning.RELEASED),
    DispositionState.REJECTED: (Step.REJECT, Meaning.REJECTED),
}


def decide(
    batch: Batch, *, outcome: DispositionState, confirmed: Confirmed, reason: str
) -> Decision:
    """Decide about a batch, once; raise `DispositionBlocked` with every objection to a release."""
    actor, at = confirmed.signer, confirmed.at
    authority.demand(actor, Duty.DECIDE_DISPOSITION)
    if outcome not in _OUTCOMES:
        raise OutcomeUnknown("a disposition is released or rejected")
    step, meaning = _OUTCOMES[outcome]
    text = recording.demand_reason(reason)
    with recording.recording(Action.BATCH_DISPOSITIONED, actor=actor, at=at, reason=text):
        held = states.take(batch, step)
        if step == Step.RELEASE:
            _demand_unblocked(held)
        signature = signing.sign(held, meaning=meaning, confirmed=confirmed, comment=text)
        held.disposition = outcome
        held.save(update_fields=["disposition"])
        return Decision.objects.create(
            batch=held, outcome=outcome, reason=text, signature=signature, decided_at=at
        )


def _demand_unblocked(batch: Batch) -> None:
    found = blockers.of(batch)
    if found:
        raise DispositionBlocked(
            f"{batch.number} cannot be released: " + "; ".join(blocker.text for blocker in found),
            errors=[
                {"pointer": "/outcome", "code": blocker.name, "detail": blocker.text}
                for blocker in found
            ],
        )
