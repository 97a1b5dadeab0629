"""Move a batch and its phases from state to state, as what happened to them says."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from batches.execution import exceptions, shortfalls, states
from batches.execution.models import (
    Batch,
    BatchEvent,
    BatchPhase,
    EventKind,
    ExceptionKind,
    PhaseState,
)
from batches.execution.states import PHASE_MOVES, PhaseOutOfOrder, PhaseStep, Step
from compliance.access.models import User
from compliance.refusals import Refused


class EventInvalid(Refused):
    """The event says something that cannot be, or lacks what its kind needs."""

    code = "event-invalid"
    status = 422


class PhaseUnknown(Refused):
    code = "phase-unknown"
    status = 422


@dataclass(frozen=True)
class Happened:
    """The event that moves something, the person who entered it (if any), and when it is recorded."""

    event: BatchEvent
    by: User | None
    at: datetime

    @property
    def moment(self) -> datetime:
        return self.event.occurred_at


@dataclass(frozen=True)
class Move:
    """What an event of one kind asks of the batch, and of the phase it names."""

    step: Step
    phase_step: PhaseStep | None = None

    @property
    def is_of_phase(self) -> bool:
        return self.phase_step is not None


BY_KIND: dict[str, Move] = {
    EventKind.BATCH_STARTED: Move(Step.START),
    EventKind.BATCH_SUSPENDED: Move(Step.SUSPEND),
    EventKind.BATCH_RESUMED: Move(Step.RESUME),
    EventKind.BATCH_ENDED: Move(Step.END),
    EventKind.BATCH_ABORTED: Move(Step.ABORT),
    EventKind.PHASE_STARTED: Move(Step.RUN_PHASE, PhaseStep.START),
    EventKind.PHASE_HELD: Move(Step.RUN_PHASE, PhaseStep.HOLD),
    EventKind.PHASE_RESUMED: Move(Step.RUN_PHASE, PhaseStep.RESUME),
    EventKind.PHASE_ENDED: Move(Step.RUN_PHASE, PhaseStep.END),
    EventKind.PHASE_ABORTED: Move(Step.RUN_PHASE, PhaseStep.ABORT),
}


def make(move: Move, batch: Batch, phase: BatchPhase | None, happened: Happened) -> None:
    """Move the batch or, where the move is one of a phase, the phase; inside the event's act."""
    if move.phase_step is None:
        _BATCH[move.step](batch, happened)
    elif phase is not None:
        _move_phase(move.phase_step, batch, phase, happened)


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


# --- Batches


def _start(batch: Batch, happened: Happened) -> None:
    batch.started_at = happened.moment
    _save(batch, Step.START, "started_at")


def _pause(batch: Batch, happened: Happened) -> None:
    _save(batch, Step.SUSPEND)


def _resume(batch: Batch, happened: Happened) -> None:
    _save(batch, Step.RESUME)


def _end(batch: Batch, happened: Happened) -> None:
    under_way = batch.phases.filter(state__in=(PhaseState.RUNNING, PhaseState.HELD)).first()
    if under_way is not None:
        state = under_way.get_state_display().lower()
        raise PhaseOutOfOrder(f"{batch.number} cannot end: phase {under_way.name} is {state}")
    shortfalls.flag(batch, at=happened.at, by=happened.by)
    _close(batch, Step.END, happened)


def _abort(batch: Batch, happened: Happened) -> None:
    for phase in batch.phases.filter(state__in=(PhaseState.RUNNING, PhaseState.HELD)):
        _move_phase(PhaseStep.ABORT, batch, phase, happened)
    _close(batch, Step.ABORT, happened)


def _close(batch: Batch, step: Step, happened: Happened) -> None:
    if batch.started_at is not None and happened.moment < batch.started_at:
        raise EventInvalid(
            f"{batch.number} started at {batch.started_at.isoformat()} and cannot have ended before"
        )
    batch.ended_at = happened.moment if batch.started_at else None
    _save(batch, step, "ended_at")


def _save(batch: Batch, step: Step, *also: str) -> None:
    batch.state = states.MOVES[step]
    batch.save(update_fields=["state", *also])


_BATCH: dict[Step, Callable[[Batch, Happened], None]] = {
    Step.START: _start,
    Step.SUSPEND: _pause,
    Step.RESUME: _resume,
    Step.END: _end,
    Step.ABORT: _abort,
}


# --- Phases


def _move_phase(step: PhaseStep, batch: Batch, phase: BatchPhase, happened: Happened) -> None:
    if step == PhaseStep.START:
        _demand_turn(phase)
    states.demand_phase(phase, step)
    changed = ["state"]
    if step == PhaseStep.START:
        phase.started_at, phase.started_by = happened.moment, happened.by
        changed += ["started_at", "started_by"]
        _judge_wait(batch, phase, happened)
    elif step in (PhaseStep.END, PhaseStep.ABORT):
        if phase.started_at and happened.moment < phase.started_at:
            raise EventInvalid(
                f"phase {phase.name} started at {phase.started_at.isoformat()} "
                "and cannot have ended before"
            )
        if step == PhaseStep.END:
            shortfalls.flag(batch, phase=phase, at=happened.at, by=happened.by)
        phase.ended_at, phase.ended_by = happened.moment, happened.by
        changed += ["ended_at", "ended_by"]
    phase.state = PHASE_MOVES[step]
    phase.save(update_fields=changed)


def _demand_turn(phase: BatchPhase) -> None:
    before = states.waits_for(phase)
    if before is not None and phase.state == PhaseState.WAITING:
        raise PhaseOutOfOrder(
            f"phase {phase.name} is waiting and cannot start now; "
            f"{before.name} is {before.get_state_display().lower()}"
        )


def _judge_wait(batch: Batch, phase: BatchPhase, happened: Happened) -> None:
    """Flag a start after the longest time that the phase before may wait (21 CFR 211.111)."""
    before = batch.phases.filter(order__lt=phase.order).order_by("-order").first()
    if before is None or before.hold_limit_min is None or before.ended_at is None:
        return
    waited = happened.moment - before.ended_at
    if waited > timedelta(minutes=before.hold_limit_min):
        exceptions.flag(
            batch, ExceptionKind.HOLD_TIME, about=happened.event, phase=phase, by=happened.by,
            at=happened.at,
            text=f"{phase.name} started {waited} after the end of {before.name}; "
            f"at most {before.hold_limit_min} minutes are allowed",
        )  # fmt: skip
