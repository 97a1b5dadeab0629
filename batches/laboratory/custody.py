"""Follow samples from hand to hand: received, stored, split, disposed of (21 CFR 211.160(b))."""

from datetime import datetime

from batches.execution import events
from batches.laboratory import states
from batches.laboratory.actions import Action
from batches.laboratory.models import (
    CustodyEvent,
    CustodyKind,
    OosInvestigation,
    OosState,
    Sample,
    SampleCustody,
    SampleState,
)
from batches.laboratory.samples import SampleKnown, demand_plain
from batches.laboratory.states import SampleStep
from compliance.access import authority
from compliance.access.duties import Duty
from compliance.access.models import User
from compliance.refusals import Refused
from compliance.trail import recording

_STEPS = {
    CustodyKind.RECEIVED: (SampleStep.RECEIVE, SampleState.RECEIVED),
    CustodyKind.STORED: (SampleStep.STORE, SampleState.RECEIVED),
    CustodyKind.DISPOSED: (SampleStep.DISPOSE, SampleState.DISPOSED),
    CustodyKind.CANCELLED: (SampleStep.CANCEL, SampleState.CANCELLED),
}


class SampleNeeded(Refused):
    """An open OOS investigation retains the sample (FDA, OOS guidance)."""

    code = "sample-needed"


class CustodyInvalid(Refused):
    code = "custody-invalid"
    status = 422


def state_of(sample: Sample) -> str:
    """Return the state of a sample as stored; one without custody was taken, no more."""
    found = SampleCustody.objects.filter(sample=sample).values_list("state", flat=True).first()
    return found or SampleState.TAKEN


def move(
    sample: Sample, *, kind: CustodyKind, happened_at: datetime, actor: User, at: datetime,
    reason: str, location: str = "",
) -> SampleCustody:  # fmt: skip
    """Record that a sample was received, stored elsewhere, disposed of or cancelled."""
    authority.demand(actor, Duty.ENTER_RESULTS)
    text = recording.demand_reason(reason)
    if kind not in _STEPS:
        raise CustodyInvalid("a sample is received, stored, disposed of or cancelled; split it so")
    if kind in (CustodyKind.RECEIVED, CustodyKind.STORED) and not location.strip():
        raise CustodyInvalid(f"{sample.number}: say where it is kept now")
    step, state = _STEPS[kind]
    with recording.recording(Action.SAMPLE_MOVED, actor=actor, at=at, reason=text):
        _take(sample, step)
        _demand_possible(sample, happened_at, at)
        if state in (SampleState.DISPOSED, SampleState.CANCELLED):
            _demand_not_needed(sample)
        _record(sample, kind, actor, happened_at=happened_at, at=at, remark=text, location=location)
        standing = SampleCustody.objects.filter(sample=sample).first()
        if standing is None:
            return SampleCustody.objects.create(sample=sample, state=state, location=location)
        standing.state, standing.location = state, location or standing.location
        standing.save(update_fields=["state", "location"])
    return standing


def split(sample: Sample, *, number: str, actor: User, at: datetime, reason: str) -> Sample:
    """Make an aliquot; it has a number of its own and names the sample it comes from."""
    authority.demand(actor, Duty.ENTER_RESULTS)
    text = recording.demand_reason(reason)
    demand_plain(number)
    with recording.recording(Action.SAMPLE_MOVED, actor=actor, at=at, reason=text):
        _take(sample, SampleStep.SPLIT)
        if Sample.objects.filter(batch=sample.batch_id, number=number).exists():
            raise SampleKnown(f"sample {number} of {sample.batch} is registered already")
        _record(sample, CustodyKind.SPLIT, actor, happened_at=at, at=at, remark=f"{number}: {text}")
        return Sample.objects.create(
            batch=sample.batch,
            number=number,
            point=sample.point,
            taken_at=sample.taken_at,
            taken_by=actor.username,
            registered_at=at,
            parent=sample,
        )


def _take(sample: Sample, step: SampleStep) -> None:
    Sample.objects.select_for_update(no_key=True).get(pk=sample.pk)
    states.demand(f"sample {sample.number}", state_of(sample), step)


def _demand_possible(sample: Sample, happened_at: datetime, at: datetime) -> None:
    events.demand_possible(happened_at, at=at)
    last = sample.custody.order_by("-happened_at").first()
    since = max(sample.taken_at, last.happened_at) if last else sample.taken_at
    if happened_at < since:
        raise CustodyInvalid(
            f"{sample.number}: {happened_at.isoformat()} is before what is recorded of it already"
        )


def _demand_not_needed(sample: Sample) -> None:
    needing = OosInvestigation.objects.filter(result__sample=sample).exclude(state=OosState.CLOSED)
    if found := needing.first():
        raise SampleNeeded(f"{found} still needs sample {sample.number}: close it first")


def _record(
    sample: Sample, kind: CustodyKind, actor: User, *, happened_at: datetime, at: datetime,
    remark: str, location: str = "",
) -> None:  # fmt: skip
    CustodyEvent.objects.create(
        sample=sample, kind=kind, by=actor.username, location=location, remark=remark,
        happened_at=happened_at, recorded_at=at,
    )  # fmt: skip
