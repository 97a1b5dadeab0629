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
    RELEASE = "release the batch"
    REJECT = "reject the batch"


# Store-and-forward sources and the laboratory deliver after a batch has ended, so its records stay
# open until the disposition; after it only a deviation found later can be linked.
_DELIVERED_LATE = {Step.RECORD_EVENT, Step.STORE_READINGS, Step.TAKE_SAMPLE, Step.REPORT_RESULT}
ALLOWED: dict[str, frozenset[Step]] = {
    BatchState.ISSUED: frozenset({Step.START, Step.ABORT, Step.LINK_DEVIATION}),
    BatchState.RUNNING: frozenset(
        _DELIVERED_LATE | {Step.END, Step.ABORT, Step.RUN_PHASE, Step.LINK_DEVIATION}
    ),
    BatchState.COMPLETED: frozenset(
        _DELIVERED_LATE | {Step.LINK_DEVIATION, Step.RELEASE, Step.REJECT}
    ),
    BatchState.ABORTED: frozenset(_DELIVERED_LATE | {Step.LINK_DEVIATION, Step.REJECT}),
}
AFTER_DISPOSITION = frozenset({Step.LINK_DEVIATION})


def demand(batch: Batch, step: Step) -> None:
    """Pass when the batch's state allows the step, else raise `BatchStateForbids`."""
    if batch.disposition != DispositionState.PENDING:
        if step not in AFTER_DISPOSITION:
            raise BatchStateForbids(
                f"{batch.number} is {batch.get_disposition_display().lower()}: "
                f"nobody can {step} any more"
            )
        return
    if step not in ALLOWED[batch.state]:
        may = ", ".join(sorted(ALLOWED[batch.state])) or "nothing"
        raise BatchStateForbids(
            f"{batch.number} is {batch.get_state_display().lower()}: to {step} is not possible "
            f"now; possible: {may}"
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
