"""Register the samples taken of a batch (21 CFR 211.160(b))."""

from datetime import datetime

from batches.execution import events, states
from batches.execution.models import Batch
from batches.execution.states import Step
from batches.laboratory.actions import Action
from batches.laboratory.models import Sample
from compliance.access import authority
from compliance.access.authority import Principal
from compliance.access.duties import Duty
from compliance.access.models import Device
from compliance.refusals import Refused
from compliance.trail import recording


class SampleKnown(Refused):
    code = "sample-known"


def take(
    batch: Batch, *, number: str, taken_at: datetime, actor: Principal, at: datetime,
    point: str = "", taken_by: str = "",
) -> Sample:  # fmt: skip
    """Register a sample; its number is unique within the batch."""
    authority.demand(actor, Duty.ENTER_RESULTS)
    events.demand_possible(taken_at, at=at)
    source = actor if isinstance(actor, Device) else None
    with recording.recording(
        Action.SAMPLE_TAKEN, actor=actor, at=at, reason=f"sample {number} of batch {batch.number}"
    ):
        held = states.take(batch, Step.TAKE_SAMPLE)
        if Sample.objects.filter(batch=held, number=number).exists():
            raise SampleKnown(f"sample {number} of {held.number} is registered already")
        return Sample.objects.create(
            batch=held,
            number=number,
            point=point,
            taken_at=taken_at,
            taken_by=taken_by or ("" if source else actor.trail_identity().name),
            source=source,
        )
