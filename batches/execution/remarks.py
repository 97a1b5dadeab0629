"""Comment on a batch or a phase: what is written is added, and never changed."""

from datetime import datetime

from batches.execution import states
from batches.execution.actions import Action
from batches.execution.models import Batch, BatchPhase, Remark
from batches.execution.states import Step
from compliance.access import authority
from compliance.access.duties import Duty
from compliance.access.models import User
from compliance.trail import recording


def add(
    batch: Batch, *, text: str, actor: User, at: datetime, phase: BatchPhase | None = None
) -> Remark:
    """Add a comment; whoever may open a deviation may remark too, also after the disposition."""
    authority.demand(actor, Duty.OPEN_DEVIATION)
    said = recording.demand_reason(text)
    with recording.recording(
        Action.REMARKED, actor=actor, at=at, reason=f"remark on batch {batch.number}"
    ):
        held = states.hold(batch, Step.COMMENT)
        return Remark.objects.create(
            batch=held, phase=phase, text=text.strip() or said, written_by=actor, written_at=at
        )
