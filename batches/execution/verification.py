"""Verify an entry by a second person (21 CFR 211.188(b)(11); EU GMP Annex 11, 6)."""

from typing import TypeAlias, TypeVar

from batches.execution import states, training_gate
from batches.execution.actions import Action
from batches.execution.models import Examination, InProcessResult, LabelUse, MaterialAccount
from batches.execution.phases import PerformerVerifies
from batches.execution.states import Step
from compliance.access import authority
from compliance.access.duties import Duty
from compliance.refusals import Refused
from compliance.signatures import signing
from compliance.signatures.models import Meaning
from compliance.signatures.signing import Confirmed
from compliance.trail import recording

Entry: TypeAlias = InProcessResult | Examination | LabelUse | MaterialAccount
E = TypeVar("E", InProcessResult, Examination, LabelUse, MaterialAccount)


class EntryVerified(Refused):
    code = "entry-verified"


def verify(entry: E, *, confirmed: Confirmed, comment: str = "") -> E:
    """Check an entry against its source and sign it; whoever entered it does not."""
    verifier, at = confirmed.signer, confirmed.at
    authority.demand(verifier, Duty.VERIFY_EXECUTION)
    with recording.recording(
        Action.ENTRY_VERIFIED, actor=verifier, at=at, reason=f"verification of {entry}"
    ):
        states.hold(entry.batch, Step.RECORD_EVENT)
        held = type(entry).objects.select_for_update(no_key=True).get(pk=entry.pk)
        if held.verified_by_id is not None:
            raise EntryVerified(f"{held} is verified already")
        if verifier.pk == held.performed_by_id:
            raise PerformerVerifies(
                f"{verifier.username} entered {held}; another person verifies it"
            )
        if held.phase is not None:
            training_gate.demand(verifier, phase=held.phase, at=at)
        held.verified_by, held.verified_at = verifier, at
        held.save(update_fields=["verified_by", "verified_at"])
        signing.sign(held, meaning=Meaning.VERIFIED, confirmed=confirmed, comment=comment)
    return held
