"""Say what may be done to a batch and to a phase in which state (21 CFR 211.100(b), 11.10(f))."""

from enum import StrEnum

from batches.execution.models import Batch, BatchPhase, BatchState, DispositionState, PhaseState
from compliance.refusals import Refused
from compliance.written_once import Lookup

# What is read while it must not change: Django knows no FOR SHARE.
_held = Lookup(Batch, "id", ending="FOR SHARE")
_held_numbered = Lookup(Batch, "number", ending="FOR SHARE")


class BatchStateForbids(Refused):
    """The batch is in a state in which this is not done."""

    code = "batch-state"


class PhaseOutOfOrder(Refused):
    """Phases run in the order of the recipe (21 CFR 211.100(b))."""

    code = "phase-order"


class PhaseStateForbids(PhaseOutOfOrder):
    """The phase is in a state in which this is not done."""

    code = "phase-state"


class PhaseVerified(PhaseStateForbids):
    """A verified phase's record is closed."""

    code = "phase-verified"


class Step(StrEnum):
    """What can be asked of a batch."""

    START = "start the batch"
    SUSPEND = "suspend the batch"
    RESUME = "resume the batch"
    END = "end the batch"
    ABORT = "abort the batch"
    RUN_PHASE = "start, hold, resume or end a phase"
    RECORD_EVENT = "record an event"
    STORE_READINGS = "store readings"
    TAKE_SAMPLE = "register a sample"
    REPORT_RESULT = "report a result"
    LINK_DEVIATION = "link a deviation"
    REVIEW = "review the batch record"
    CHECK_COPY = "check the issued copy"
    COMMENT = "comment on the batch"
    RELEASE = "release the batch"
    REJECT = "reject the batch"
    HOLD = "put the batch on hold"
    LIFT_HOLD = "lift the hold of the batch"
    REWORK = "order a rework of the batch"
    END_REWORK = "end the rework of the batch"
    CONFIRM_RELEASE = "confirm the release of the batch"
    RECALL = "recall the batch"
    CERTIFY = "certify the batch"
    SHIP = "ship the batch"


# Store-and-forward sources and the laboratory deliver after a batch has ended, and after its
# disposition too: what they know is never turned away. A release is then evaluated anew.
_DELIVERED_LATE = {Step.RECORD_EVENT, Step.STORE_READINGS, Step.TAKE_SAMPLE, Step.REPORT_RESULT}
_ALWAYS = {Step.LINK_DEVIATION, Step.COMMENT, Step.HOLD, Step.LIFT_HOLD}
# What the state of manufacture allows.
ALLOWED: dict[str, frozenset[Step]] = {
    BatchState.ISSUED: frozenset({Step.START, Step.ABORT, Step.CHECK_COPY} | _ALWAYS),
    BatchState.RUNNING: frozenset(
        _DELIVERED_LATE | {Step.END, Step.ABORT, Step.RUN_PHASE, Step.SUSPEND} | _ALWAYS
    ),
    BatchState.SUSPENDED: frozenset(_DELIVERED_LATE | {Step.RESUME, Step.ABORT} | _ALWAYS),
    BatchState.COMPLETED: frozenset(
        _DELIVERED_LATE
        | {Step.REVIEW, Step.RELEASE, Step.REJECT, Step.REWORK, Step.END_REWORK}
        | {Step.CONFIRM_RELEASE, Step.RECALL, Step.CERTIFY, Step.SHIP}
        | _ALWAYS
    ),
    BatchState.ABORTED: frozenset(_DELIVERED_LATE | {Step.REVIEW, Step.REJECT} | _ALWAYS),
}
AFTER_DISPOSITION = frozenset(_DELIVERED_LATE | {Step.LINK_DEVIATION, Step.COMMENT})
_AFTER_RELEASE = {Step.CONFIRM_RELEASE, Step.RECALL, Step.CERTIFY, Step.SHIP}
# What the disposition allows. A step needs both.
BY_DISPOSITION: dict[str, frozenset[Step]] = {
    DispositionState.PENDING: frozenset(Step) - {Step.LIFT_HOLD, Step.END_REWORK} - _AFTER_RELEASE,
    DispositionState.HELD: frozenset(Step)
    - {Step.HOLD, Step.RELEASE, Step.REWORK, Step.END_REWORK}
    - (_AFTER_RELEASE - {Step.RECALL}),
    DispositionState.REWORK: AFTER_DISPOSITION
    | {Step.REVIEW, Step.END_REWORK, Step.HOLD, Step.REJECT},
    DispositionState.RELEASED: AFTER_DISPOSITION
    | {Step.REVIEW, Step.CONFIRM_RELEASE, Step.HOLD, Step.RECALL, Step.CERTIFY, Step.SHIP},
    DispositionState.RECALLED: AFTER_DISPOSITION | {Step.REVIEW, Step.REJECT},
    DispositionState.REJECTED: AFTER_DISPOSITION,
}
# Where the steps of manufacture lead; the trigger `keep_batch` holds the same moves.
MOVES: dict[Step, BatchState] = {
    Step.START: BatchState.RUNNING,
    Step.SUSPEND: BatchState.SUSPENDED,
    Step.RESUME: BatchState.RUNNING,
    Step.END: BatchState.COMPLETED,
    Step.ABORT: BatchState.ABORTED,
}


class PhaseStep(StrEnum):
    """What can be asked of a phase."""

    START = "start the phase"
    HOLD = "hold the phase"
    RESUME = "resume the phase"
    END = "end the phase"
    ABORT = "abort the phase"
    ENTER = "enter into the record of the phase"
    VERIFY = "verify the phase"


PHASE_ALLOWED: dict[str, frozenset[PhaseStep]] = {
    PhaseState.WAITING: frozenset({PhaseStep.START}),
    PhaseState.RUNNING: frozenset(
        {PhaseStep.HOLD, PhaseStep.END, PhaseStep.ABORT, PhaseStep.ENTER}
    ),
    PhaseState.HELD: frozenset({PhaseStep.RESUME, PhaseStep.ABORT, PhaseStep.ENTER}),
    PhaseState.DONE: frozenset({PhaseStep.ENTER, PhaseStep.VERIFY}),
    PhaseState.ABORTED: frozenset({PhaseStep.ENTER}),
}
# Where they lead; the trigger `keep_phase` holds the same moves and the order of the phases.
PHASE_MOVES: dict[PhaseStep, PhaseState] = {
    PhaseStep.START: PhaseState.RUNNING,
    PhaseStep.HOLD: PhaseState.HELD,
    PhaseStep.RESUME: PhaseState.RUNNING,
    PhaseStep.END: PhaseState.DONE,
    PhaseStep.ABORT: PhaseState.ABORTED,
}
BEHIND = frozenset({PhaseState.DONE, PhaseState.ABORTED})


def is_possible(batch: Batch, step: Step) -> bool:
    """Say whether manufacture and disposition allow the step."""
    return step in ALLOWED[batch.state] and step in BY_DISPOSITION[batch.disposition]


def demand(batch: Batch, step: Step) -> None:
    """Pass when the batch's states allow the step, else raise `BatchStateForbids`."""
    if step not in BY_DISPOSITION[batch.disposition]:
        raise _forbidden(batch, step, batch.get_disposition_display())
    if step not in ALLOWED[batch.state]:
        raise _forbidden(batch, step, batch.get_state_display())


def _forbidden(batch: Batch, step: Step, state: str) -> BatchStateForbids:
    possible = ALLOWED[batch.state] & BY_DISPOSITION[batch.disposition]
    may = ", ".join(sorted(possible)) or "nothing"
    return BatchStateForbids(
        f"{batch.number} is {state.lower()}: to {step} is not possible now; possible: {may}"
    )


def demand_phase(phase: BatchPhase, step: PhaseStep) -> None:
    """Pass when the phase's state allows the step, else raise `PhaseStateForbids`."""
    if step not in PHASE_ALLOWED[phase.state]:
        may = ", ".join(sorted(PHASE_ALLOWED[phase.state])) or "nothing"
        raise PhaseStateForbids(
            f"phase {phase.name} is {phase.get_state_display().lower()}: to {step} is not possible "
            f"now; possible: {may}"
        )


def waits_for(phase: BatchPhase) -> BatchPhase | None:
    """Return the first phase that has to be behind before this one starts, if any.

    Neighbours of one parallel group do not wait for each other (ISA-88 allows them at once).
    """
    before = phase.batch.phases.filter(order__lt=phase.order).exclude(state__in=BEHIND)
    if phase.parallel_group:
        before = before.exclude(parallel_group=phase.parallel_group)
    return before.order_by("order").first()


def hold(batch: Batch | str, step: Step) -> Batch:
    """Demand the step of the state as stored, and keep that state until the act has committed.

    Of a batch, or of what has a number: raise `Batch.DoesNotExist`. A shared lock: many sources
    record at once, while whoever ends or disposes of the batch waits. A recipe that the caller has
    read is taken over: a version of a recipe is frozen.
    """
    stored = _held_numbered(batch) if isinstance(batch, str) else _held(batch.pk)
    if stored is None:
        raise Batch.DoesNotExist(f"there is no batch {batch}")
    read = batch.recipe if isinstance(batch, Batch) and Batch.recipe.is_cached(batch) else None
    if read is not None and read.pk == stored.recipe_id:
        stored.recipe = read
    demand(stored, step)
    return stored


def take(batch: Batch | str, step: Step) -> Batch:
    """Demand the step of the state as stored, and make whoever else needs the batch wait.

    Of a batch, or of what has a number: raise `Batch.DoesNotExist`.
    """
    named = {"number": batch} if isinstance(batch, str) else {"pk": batch.pk}
    Batch.objects.select_for_update(no_key=True).get(**named)
    stored = Batch.objects.select_related("recipe__product").get(**named)
    demand(stored, step)
    return stored


def enter(phase: BatchPhase) -> BatchPhase:
    """Demand that something may be entered into a phase's record, and keep its batch so."""
    held = hold(phase.batch, Step.RECORD_EVENT)
    stored = BatchPhase.objects.select_for_update(no_key=True).get(pk=phase.pk)
    stored.batch = held
    demand_phase(stored, PhaseStep.ENTER)
    if stored.verified_by_id is not None:
        raise PhaseVerified(
            f"phase {stored.name} is verified: its record is closed. What is found now is a comment "
            "or a deviation"
        )
    return stored
