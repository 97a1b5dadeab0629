"""Record what happened to a batch, as its source says it, and move the batch on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.db import IntegrityError

from batches.execution import (
    exceptions,
    late,
    measurements,
    moves,
    signals,
    source_fitness,
    states,
    training_gate,
)
from batches.execution.actions import Action
from batches.execution.late import CLOCK_TOLERANCE, Late
from batches.execution.models import Batch, BatchEvent, BatchPhase, EventKind, ExceptionKind
from batches.execution.moves import EventInvalid, PhaseUnknown
from batches.execution.states import PhaseOutOfOrder, Step
from compliance.access import authority
from compliance.access.authority import Principal
from compliance.access.duties import Duty
from compliance.access.models import Device, User
from compliance.refusals import Refused
from compliance.trail import recording, refusals
from compliance.trail.tlog import canonical
from compliance.written_once import Insertion

__all__ = [  # what other rooms know of this one
    "CLOCK_TOLERANCE", "EventInvalid", "MessageKnown", "PhaseOutOfOrder", "PhaseUnknown",
    "Reported", "demand_possible", "phase_named", "record",
]  # fmt: skip
phase_named = moves.phase_named
_store = Insertion(BatchEvent)
# What interrupts a phase or a batch says why.
_NEED_TEXT = {
    EventKind.BATCH_ABORTED: "an abort",
    EventKind.PHASE_ABORTED: "an abort",
    EventKind.PHASE_HELD: "a hold",
    EventKind.BATCH_SUSPENDED: "a suspension",
}
# What moves nothing is there for what it says.
_NEED_WORDS = {EventKind.OBSERVATION, EventKind.ADDITION, EventKind.ALARM}


class MessageKnown(Refused):
    """The source has sent another record under this message id before."""

    code = "message-known"


@dataclass(frozen=True, kw_only=True)
class Reported:
    """What a source says: its own words and its own clock."""

    kind: EventKind
    occurred_at: datetime
    occurred_text: str
    phase: str = ""
    text: str = ""
    performed_by: str = ""
    tag: str = ""
    value: str = ""
    unit: str = ""
    details: Mapping[str, canonical.Value] = field(default_factory=dict)
    sent_at: datetime | None = None
    is_backfilled: bool = False
    is_zone_assumed: bool = False


def record(
    batch: Batch | str, *, reported: Reported, message_id: str, actor: Principal, at: datetime,
    late_entry: Late | None = None,
) -> BatchEvent:  # fmt: skip
    """Record an event and move batch and phase where its kind says so, in one act.

    Of a batch, or of what has a number: raise `Batch.DoesNotExist`.
    A measurement is of a parameter of the batch; raise `TagUnknown`.
    A person is trained in the procedure of the phase, and enters at the time of performance or with
    a reason and a witness; raise `NotTrained`, `EnteredLate` or `WitnessIsPerformer`.
    """
    authority.demand(actor, Duty.RECORD_EXECUTION)
    demand_possible(reported.occurred_at, at=at)
    what = _NEED_TEXT.get(EventKind(reported.kind))
    if what and len(reported.text.strip()) < 8:
        raise EventInvalid(f"{what} needs a text of 8 characters or more: why")
    if reported.kind in _NEED_WORDS and not _says_something(reported):
        name = EventKind(reported.kind).label.lower()
        raise EventInvalid(f"this {name} says nothing: give it a text, a tag, a value or details")
    late_reason, witness = late.demand_person_on_time(
        actor, occurred_at=reported.occurred_at, at=at, late=late_entry
    )
    with recording.recording(
        Action.EVENT_RECORDED, actor=actor, at=at, reason=f"{reported.kind} of batch {batch}"
    ):
        move = moves.BY_KIND.get(reported.kind)
        held = states.take(batch, move.step) if move else states.hold(batch, Step.RECORD_EVENT)
        phase = _phase(held, reported, is_needed=move is not None and move.is_of_phase)
        if phase is not None:
            training_gate.demand(actor, phase=phase, at=at)
        event = _write(held, reported, message_id=message_id, actor=actor, at=at,
                       late_reason=late_reason, witness=witness)  # fmt: skip
        if isinstance(actor, User):
            late.witness(event, late=late_entry)
            exceptions.flag_late(held, event, by=actor, reason=late_reason, at=at)
        if move is not None:
            by = actor if isinstance(actor, User) else None
            moves.make(move, held, phase, moves.Happened(event, by, at))
        if reported.kind == EventKind.MEASUREMENT:
            measurements.judge(event, at=at)
            source_fitness.judge(
                held, about=event, source=actor, measured_at=event.occurred_at, at=at
            )
        if what:
            exceptions.flag(
                held, ExceptionKind.INTERRUPTION, about=event, phase=phase, at=at, by=actor,
                text=f"{event.get_kind_display()}: {reported.text.strip()}",
            )  # fmt: skip
        signals.announce(held, kind="event", record_id=event.pk)
    return event


def _says_something(reported: Reported) -> bool:
    words = (reported.text, reported.tag, reported.value)
    return bool(reported.details) or any(one.strip() for one in words)


def _phase(batch: Batch, reported: Reported, *, is_needed: bool) -> BatchPhase | None:
    if not reported.phase and not is_needed:
        return None
    return phase_named(batch, reported.phase)


def _write(
    batch: Batch, reported: Reported, *, message_id: str, actor: Principal, at: datetime,
    late_reason: str, witness: User | None,
) -> BatchEvent:  # fmt: skip
    source = actor if isinstance(actor, Device) else None
    event = BatchEvent(
        batch=batch,
        kind=reported.kind,
        phase=reported.phase,
        text=reported.text,
        performed_by=reported.performed_by or ("" if source else actor.trail_identity().name),
        tag=reported.tag,
        value=reported.value,
        unit=reported.unit,
        details=dict(reported.details),
        occurred_at=reported.occurred_at,
        occurred_text=reported.occurred_text,
        sent_at=reported.sent_at,
        recorded_at=at,
        is_backfilled=reported.is_backfilled,
        is_zone_assumed=reported.is_zone_assumed,
        source=source,
        message_id=message_id,
        recorded_by=actor if isinstance(actor, User) else None,
        late_reason=late_reason,
        witness=witness,
    )
    try:
        _store(event)
    except IntegrityError as error:  # looked for before, it would cost each event a question
        said = refusals.of_database(error)
        if said is None or said.constraint != "event_message_once":
            raise
        raise MessageKnown(f"{source} has sent another event as {message_id} before") from error
    return event


def demand_possible(moment: datetime, *, at: datetime) -> None:
    """Refuse what a source says will happen: its clock is wrong."""
    if moment > at + CLOCK_TOLERANCE:
        raise EventInvalid(
            f"{moment.isoformat()} is in the future (it is {at.isoformat()}): "
            "set the clock of the source"
        )
