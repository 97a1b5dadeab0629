"""Record what happened to a batch, as its source says it, and move the batch on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from batches.execution import signals, states
from batches.execution.actions import Action
from batches.execution.models import (
    Batch,
    BatchEvent,
    BatchPhase,
    BatchState,
    EventKind,
    PhaseState,
)
from batches.execution.states import Step
from compliance.access import authority
from compliance.access.authority import Principal
from compliance.access.duties import Duty
from compliance.access.models import Device
from compliance.refusals import Refused
from compliance.trail import recording
from compliance.trail.tlog import canonical

CLOCK_TOLERANCE = timedelta(minutes=5)  # how far a source's clock may be ahead of ours


class EventInvalid(Refused):
    """The event says something that cannot be, or lacks what its kind needs."""

    code = "event-invalid"
    status = 422


class PhaseUnknown(Refused):
    code = "phase-unknown"
    status = 422


class PhaseOutOfOrder(Refused):
    """Phases run in the order of the recipe (21 CFR 211.100(b))."""

    code = "phase-order"


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
    batch: Batch, *, reported: Reported, message_id: str, actor: Principal, at: datetime
) -> BatchEvent:
    """Record an event and move batch and phase where its kind says so, in one act."""
    authority.demand(actor, Duty.RECORD_EXECUTION)
    demand_possible(reported.occurred_at, at=at)
    if reported.kind == EventKind.BATCH_ABORTED and len(reported.text.strip()) < 8:
        raise EventInvalid("an abort needs a text of 8 characters or more: why")
    source = actor if isinstance(actor, Device) else None
    with recording.recording(
        Action.EVENT_RECORDED, actor=actor, at=at, reason=f"{reported.kind} of batch {batch.number}"
    ):
        step, move = _MOVES.get(reported.kind, (Step.RECORD_EVENT, None))
        held = states.hold(batch, step) if move is None else states.take(batch, step)
        if source and BatchEvent.objects.filter(source=source, message_id=message_id).exists():
            raise MessageKnown(f"{source} has sent another event as {message_id} before")
        if reported.phase or move in (_start_phase, _end_phase):
            phase_named(held, reported.phase)
        event = BatchEvent.objects.create(
            batch=held,
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
        )
        if move is not None:
            move(held, reported)
        signals.announce(batch_id=held.pk, kind="event", record_id=event.pk)
    return event


def demand_possible(moment: datetime, *, at: datetime) -> None:
    """Refuse what a source says will happen: its clock is wrong."""
    if moment > at + CLOCK_TOLERANCE:
        raise EventInvalid(
            f"{moment.isoformat()} is in the future (it is {at.isoformat()}): "
            "set the clock of the source"
        )


def phase_named(batch: Batch, name: str) -> BatchPhase:
    """Return the batch's phase of this name, or of `unit procedure/phase` where names repeat."""
    phases = list(batch.phases.order_by("order"))
    matching = [
        phase for phase in phases if name in (phase.name, f"{phase.unit_procedure}/{phase.name}")
    ]
    if len(matching) == 1:
        return matching[0]
    known = ", ".join(f"{phase.unit_procedure}/{phase.name}" for phase in phases)
    problem = "names more than one phase" if matching else "is no phase"
    raise PhaseUnknown(f"“{name}” {problem} of {batch.recipe}; its phases are: {known}")


def _start_batch(batch: Batch, reported: Reported) -> None:
    batch.state = BatchState.RUNNING
    batch.started_at = reported.occurred_at
    batch.save(update_fields=["state", "started_at"])


def _end_batch(batch: Batch, reported: Reported) -> None:
    running = batch.phases.filter(state=PhaseState.RUNNING).first()
    if running is not None:
        raise PhaseOutOfOrder(f"{batch.number} cannot end: phase {running.name} is running")
    _close(batch, reported, BatchState.COMPLETED)


def _abort_batch(batch: Batch, reported: Reported) -> None:
    _close(batch, reported, BatchState.ABORTED)


def _close(batch: Batch, reported: Reported, state: BatchState) -> None:
    if batch.started_at is not None and reported.occurred_at < batch.started_at:
        raise EventInvalid(
            f"{batch.number} started at {batch.started_at.isoformat()} and cannot have ended before"
        )
    batch.state = state
    batch.ended_at = reported.occurred_at if batch.started_at else None
    batch.save(update_fields=["state", "ended_at"])


def _start_phase(batch: Batch, reported: Reported) -> None:
    phase = phase_named(batch, reported.phase)
    expected = batch.phases.exclude(state=PhaseState.DONE).order_by("order").first()
    if expected is None or expected.pk != phase.pk or phase.state != PhaseState.WAITING:
        state = phase.get_state_display().lower()
        wanted = f"; {expected.name} is {expected.get_state_display().lower()}" if expected else ""
        raise PhaseOutOfOrder(f"phase {phase.name} is {state} and cannot start now{wanted}")
    phase.state = PhaseState.RUNNING
    phase.started_at = reported.occurred_at
    phase.save(update_fields=["state", "started_at"])


def _end_phase(batch: Batch, reported: Reported) -> None:
    phase = phase_named(batch, reported.phase)
    if phase.state != PhaseState.RUNNING or phase.started_at is None:
        raise PhaseOutOfOrder(
            f"phase {phase.name} is {phase.get_state_display().lower()}, not running: it cannot end"
        )
    if reported.occurred_at < phase.started_at:
        raise EventInvalid(
            f"phase {phase.name} started at {phase.started_at.isoformat()} "
            "and cannot have ended before"
        )
    phase.state = PhaseState.DONE
    phase.ended_at = reported.occurred_at
    phase.save(update_fields=["state", "ended_at"])


_MOVES: dict[str, tuple[Step, Callable[[Batch, Reported], None]]] = {
    EventKind.BATCH_STARTED: (Step.START, _start_batch),
    EventKind.BATCH_ENDED: (Step.END, _end_batch),
    EventKind.BATCH_ABORTED: (Step.ABORT, _abort_batch),
    EventKind.PHASE_STARTED: (Step.RUN_PHASE, _start_phase),
    EventKind.PHASE_ENDED: (Step.RUN_PHASE, _end_phase),
}
