"""Merge the parts of a run in their order: a function of what is recorded, made again at will."""

from datetime import datetime
from typing import Any

from compliance.trail import recording
from compliance.trail.tlog import canonical
from twins.bulk import parts
from twins.bulk.actions import Action
from twins.bulk.models import BulkKind, BulkRun, BulkState, PartState
from twins.models import futures
from twins.predictions import runs

OPEN = (PartState.WAITING, PartState.CLAIMED)


def settle(run: BulkRun, *, at: datetime) -> bool:
    """End a run whose parts have all ended; say whether this call did.

    Whoever does the last part calls it, and the sweep does again: no callback can be lost.
    """
    if run.parts.filter(state__in=OPEN).exists():
        return False
    with recording.recording(
        Action.RUN_ENDED, actor=parts.WORKER, at=at, reason="all parts have ended"
    ):
        held = BulkRun.objects.select_for_update().get(pk=run.pk)
        if held.state != BulkState.RUNNING or held.parts.filter(state__in=OPEN).exists():
            return False
        held.ended_at = at
        if held.parts.filter(state=PartState.FAILED).exists():
            held.state = BulkState.INCOMPLETE
        else:
            content = merged(held)
            held.state = BulkState.DONE
            held.result, held.result_digest = content.decode(), runs.digest(content)
        held.save(update_fields=["state", "ended_at", "result", "result_digest"])
    return True


def merged(run: BulkRun) -> bytes:
    """Return the result of a run whose parts are all done, as canonical bytes."""
    outputs = run.parts.order_by("order").values_list("output", flat=True)
    return of_outputs(run, [output.encode() for output in outputs])


def of_outputs(run: BulkRun, outputs: list[bytes]) -> bytes:
    """Return the result that these outputs of all parts have, in their order."""
    found: list[Any] = [canonical.loads(output) for output in outputs]
    result: Any = (
        futures.merge(found)
        if run.kind == BulkKind.FUTURES
        else {"predictions": [one for part in found for one in part["predictions"]]}
    )
    return canonical.dumps({"request_digest": run.request_digest, **result})
