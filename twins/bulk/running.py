"""What people and workers do with a run: go on, cancel, retry, see how far it is, repeat it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count
from django.utils import timezone

from compliance.access import authority
from compliance.access.duties import Duty
from compliance.access.models import User
from compliance.refusals import Refused
from compliance.trail import recording
from compliance.trail.tlog import canonical
from twins.bulk import merging, parts, work
from twins.bulk.actions import Action
from twins.bulk.models import BulkKind, BulkRun, BulkState, PartState
from twins.predictions import replays, runs
from twins.predictions.models import Prediction


class RunEnded(Refused):
    """The run has ended: there is nothing to cancel, or no failed part to try again."""

    code = "bulk-run-ended"


@dataclass(frozen=True)
class Progress:
    """How many parts of a run are in which state."""

    waiting: int = 0
    claimed: int = 0
    done: int = 0
    failed: int = 0
    cancelled: int = 0


@dataclass(frozen=True)
class Repeated:
    """What repeating a whole run from its record showed; `different` names parts that differ."""

    identical: bool
    recorded_digest: str
    computed_digest: str
    different: tuple[str, ...]


def go_on(run: BulkRun, *, clock: Callable[[], datetime] = timezone.now) -> bool:
    """Do the next part of a run, if there is one, and end the run with its last; say if one was."""
    part = parts.claim_next(run, at=clock())
    was_done = part is not None and parts.do(part)
    merging.settle(run, at=clock())
    return was_done


def progress(run: BulkRun) -> Progress:
    """Count the parts of a run by state."""
    counted = run.parts.order_by().values_list("state").annotate(Count("pk"))
    return Progress(**dict(counted))


def cancel(run: BulkRun, *, actor: User, at: datetime, reason: str) -> BulkRun:
    """Cancel a run: what is done stays, what is under way is not counted, the rest is not run.

    Raise `RunEnded`, `NotPermitted` or `ReasonNotMeaningful`.
    """
    authority.demand(actor, Duty.ASK_TWINS)
    text = recording.demand_reason(reason)
    with recording.recording(Action.RUN_CANCELLED, actor=actor, at=at, reason=text):
        held = BulkRun.objects.select_for_update().get(pk=run.pk)
        if held.state not in (BulkState.RUNNING, BulkState.INCOMPLETE):
            raise RunEnded(f"{held} is {held.get_state_display().lower()}")
        held.state, held.ended_at = BulkState.CANCELLED, at
        held.cancelled_by = actor.trail_identity().name
        held.save(update_fields=["state", "ended_at", "cancelled_by"])
        held.parts.filter(state__in=merging.OPEN).update(state=PartState.CANCELLED, finished_at=at)
    return held


def retry(run: BulkRun, *, actor: User, at: datetime, reason: str) -> BulkRun:
    """Try the failed parts of a run again; raise `RunEnded` when there are none."""
    authority.demand(actor, Duty.ASK_TWINS)
    text = recording.demand_reason(reason)
    with recording.recording(Action.RUN_RETRIED, actor=actor, at=at, reason=text):
        held = BulkRun.objects.select_for_update().get(pk=run.pk)
        if held.state not in (BulkState.RUNNING, BulkState.INCOMPLETE):
            raise RunEnded(f"{held} is {held.get_state_display().lower()}")
        again = held.parts.filter(state=PartState.FAILED).update(
            state=PartState.WAITING, attempts=0, claimed_at=None, claimed_by="", finished_at=None,
            problem="",
        )  # fmt: skip
        if not again:
            raise RunEnded(f"no part of {held} has failed")
        held.state, held.ended_at = BulkState.RUNNING, None
        held.save(update_fields=["state", "ended_at"])
    return held


def repeat(run: BulkRun) -> Repeated:
    """Run all parts of a finished run again in this process, from its record, and compare."""
    if run.state != BulkState.DONE:
        raise replays.NotReplayable(f"{run} is {run.get_state_display().lower()}: only one that is "
                                    "done can be replayed")  # fmt: skip
    outputs, different = [], []
    for part in run.parts.select_related("run").order_by("order"):
        output = part.output.encode()
        if run.kind == BulkKind.FUTURES:
            output = work.do(part, goes_on=lambda: True)
            if output != part.output.encode():
                different.append(f"{part}: {runs.digest(output)}, recorded {part.output_digest}")
        else:
            different += _differing(output)
        outputs.append(output)
    computed = runs.digest(merging.of_outputs(run, outputs))
    return Repeated(
        identical=not different and computed == run.result_digest,
        recorded_digest=run.result_digest,
        computed_digest=computed,
        different=tuple(different),
    )


def _differing(output: bytes) -> list[str]:
    """Replay every prediction that a part names, and compare it with what the part says of it."""
    found: list[str] = []
    said: dict[str, list[dict[str, str]]] = canonical.loads(output)  # type: ignore[assignment]
    for one in said["predictions"]:
        if one.get("state") != "done":
            continue
        prediction = Prediction.objects.select_related("model_version").get(
            batch__number=one["batch"],
            as_of=datetime.fromisoformat(one["as_of"]),
            model_version__name=one["model"],
            model_version__code_digest=one["code_digest"],
            input_digest=one["input_digest"],
        )
        if replays.replay(prediction).computed_digest != one["output_digest"]:
            found.append(f"{prediction}: differs from {one['output_digest']}")
    return found
