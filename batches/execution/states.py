"""Say what may be done to a batch in which state (21 CFR 211.100(b))."""

from enum import StrEnum

from django.db import connection

from batches.execution.models import Batch, BatchState, DispositionState
from compliance.refusals import Refused


class BatchStateForbids(Refused):
    """The batch is in a state in which this is not done."""

    code = "batch-state"


class Step(StrEnum):
    """What can be asked of a batch."""

    START = "start the batch"
    END = "end the batch"
    ABORT = "abort the batch"
    RUN_PHASE = "start or end a phase"
    RECORD_EVENT = "record an event"
    STORE_READINGS = "store readings"
    TAKE_SAMPLE = "register a sample"
    REPORT_RESULT = "report a result"
    LINK_DEVIATION = "link a deviation"
    REVIEW = "review the batch record"
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
_HELD = {Step.HOLD, Step.LIFT_HOLD}
# What the state of manufacture allows.
ALLOWED: dict[str, frozenset[Step]] = {
    BatchState.ISSUED: frozenset({Step.START, Step.ABORT, Step.LINK_DEVIATION} | _HELD),
    BatchState.RUNNING: frozenset(
        _DELIVERED_LATE | {Step.END, Step.ABORT, Step.RUN_PHASE, Step.LINK_DEVIATION} | _HELD
    ),
    BatchState.COMPLETED: frozenset(
        _DELIVERED_LATE
        | {Step.LINK_DEVIATION, Step.REVIEW, Step.RELEASE, Step.REJECT, Step.REWORK}
        | {Step.END_REWORK, Step.CONFIRM_RELEASE, Step.RECALL, Step.CERTIFY, Step.SHIP}
        | _HELD
    ),
    BatchState.ABORTED: frozenset(
        _DELIVERED_LATE | {Step.LINK_DEVIATION, Step.REVIEW, Step.REJECT} | _HELD
    ),
}
AFTER_DISPOSITION = frozenset(_DELIVERED_LATE | {Step.LINK_DEVIATION})
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


def hold(batch: Batch, step: Step) -> Batch:
    """Demand the step of the state as stored, and keep that state until the act has committed.

    A shared lock: many sources record at once, while whoever ends or disposes of the batch waits.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM execution_batch WHERE id = %s FOR SHARE", [batch.pk])
    stored = Batch.objects.select_related("recipe__product").get(pk=batch.pk)
    demand(stored, step)
    return stored


def take(batch: Batch, step: Step) -> Batch:
    """Demand the step of the state as stored, and make whoever else needs the batch wait."""
    Batch.objects.select_for_update(no_key=True).get(pk=batch.pk)
    stored = Batch.objects.select_related("recipe__product").get(pk=batch.pk)
    demand(stored, step)
    return stored
