"""Let people run and verify phases: each act is an event of the batch, entered by them."""

import uuid
from datetime import datetime

from batches.execution import events, states, training_gate
from batches.execution.actions import Action
from batches.execution.events import Reported
from batches.execution.late import Late
from batches.execution.models import BatchEvent, BatchPhase, EventKind
from batches.execution.states import PhaseStep, Step
from compliance.access import authority
from compliance.access.duties import Duty
from compliance.access.models import User
from compliance.refusals import Refused
from compliance.signatures import signing
from compliance.signatures.models import Meaning
from compliance.signatures.signing import Confirmed
from compliance.trail import recording


class PerformerVerifies(Refused):
    """Nobody verifies what they performed (21 CFR 211.188(b)(11))."""

    code = "performer-verifies"
    status = 403


_KINDS = {
    PhaseStep.START: EventKind.PHASE_STARTED,
    PhaseStep.HOLD: EventKind.PHASE_HELD,
    PhaseStep.RESUME: EventKind.PHASE_RESUMED,
    PhaseStep.END: EventKind.PHASE_ENDED,
    PhaseStep.ABORT: EventKind.PHASE_ABORTED,
}


def move(
    phase: BatchPhase, step: PhaseStep, *, actor: User, at: datetime,
    performed_at: datetime | None = None, text: str = "", late_entry: Late | None = None,
) -> BatchEvent:  # fmt: skip
    """Start, hold, resume, end or abort a phase, as the person who does it enters it."""
    moment = performed_at or at
    reported = Reported(
        kind=_KINDS[step],
        occurred_at=moment,
        occurred_text=moment.isoformat(),
        phase=f"{phase.unit_procedure}/{phase.name}",
        text=text,
    )
    return events.record(
        phase.batch, reported=reported, message_id=str(uuid.uuid4()), actor=actor, at=at,
        late_entry=late_entry,
    )  # fmt: skip


def verify(phase: BatchPhase, *, confirmed: Confirmed, comment: str = "") -> BatchPhase:
    """Verify a phase that is done, by signature of another person than those who performed it.

    Raise `PerformerVerifies`, `PhaseVerified` or `PhaseStateForbids`; after it nothing more is
    entered into the record of the phase.
    """
    verifier, at = confirmed.signer, confirmed.at
    authority.demand(verifier, Duty.VERIFY_EXECUTION)
    with recording.recording(
        Action.PHASE_VERIFIED, actor=verifier, at=at, reason=f"verification of phase {phase.name}"
    ):
        batch = states.hold(phase.batch, Step.RECORD_EVENT)
        held = BatchPhase.objects.select_for_update(no_key=True).get(pk=phase.pk)
        held.batch = batch
        states.demand_phase(held, PhaseStep.VERIFY)
        if held.verified_by_id is not None:
            raise states.PhaseVerified(f"phase {held.name} of {batch.number} is verified already")
        if verifier.pk in performers(held):
            raise PerformerVerifies(
                f"{verifier.username} performed in phase {held.name}; another person verifies it"
            )
        training_gate.demand(verifier, phase=held, at=at)
        held.verified_by, held.verified_at = verifier, at
        held.save(update_fields=["verified_by", "verified_at"])
        signing.sign(held, meaning=Meaning.VERIFIED, confirmed=confirmed, comment=comment)
    return held


def performers(phase: BatchPhase) -> frozenset[int]:
    """Return the people who started or ended a phase, or entered anything into its record."""
    found = {phase.started_by_id, phase.ended_by_id}
    for name in (
        "charges", "equipment", "examinations", "in_process_results", "label_uses",
        "material_accounts",
    ):  # fmt: skip
        found.update(getattr(phase, name).values_list("performed_by_id", flat=True))
    return frozenset(one for one in found if one is not None)
