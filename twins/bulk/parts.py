"""Take the next part of a run, do it once, and record what it came to."""

import logging
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from celery.exceptions import SoftTimeLimitExceeded
from django.db.models import Q, QuerySet
from django.utils import timezone

from compliance.refusals import Refused
from compliance.trail import recording
from compliance.trail.recording import System
from twins.bulk import limits, work
from twins.bulk.actions import Action
from twins.bulk.models import BulkPart, BulkRun, BulkState, PartState
from twins.predictions import leases, runs

log = logging.getLogger(__name__)
WORKER = System("bulk worker")
# A part whose worker died so often is not tried again by itself: it may be what kills it.
MOST_ATTEMPTS = 6


class PartBroken(Refused):
    """A part ended with an error that nobody has words for; it is in the worker's log."""

    code = "bulk-part-broken"


@dataclass(frozen=True)
class Outcome:
    """What doing a part came to: its output, or the problem that kept it from one."""

    output: bytes = b""
    problem: str = ""


def claim_next(run: BulkRun, *, at: datetime) -> BulkPart | None:
    """Take the first part that nobody has, or whose worker died; None when there is none."""
    with recording.recording(
        Action.PART_CLAIMED, actor=WORKER, at=at, reason=f"a worker has time for {run}"
    ):
        free = _free(run, at=at).select_related("run").order_by("order")
        part = free.select_for_update(skip_locked=True, of=("self",)).first()
        if part is None:
            return None
        also = {"attempts": part.attempts + 1}
        is_ours = leases.take(part, at=at, free=(PartState.WAITING,), also=also)
    return part if is_ours else None


def do(part: BulkPart) -> bool:
    """Do a claimed part and record how it ended; False when the claim is no longer its own."""
    began = time.monotonic()
    try:
        with leases.held(part, action=Action.PART_RENEWED, actor=WORKER):
            outcome = _outcome(part)
    except work.Waits as waits:
        _release(part, reason=str(waits))
        return False
    except work.Stopped:
        return False
    log.info("%s took %.1f s", part, time.monotonic() - began)
    at = timezone.now()
    action = Action.PART_FAILED if outcome.problem else Action.PART_FINISHED
    with recording.recording(
        action, actor=WORKER, at=at, reason=outcome.problem[:500] or "the part is done"
    ):
        return bool(
            leases.own(part).update(
                state=PartState.FAILED if outcome.problem else PartState.DONE,
                output=outcome.output.decode(),
                output_digest=runs.digest(outcome.output) if outcome.output else "",
                problem=outcome.problem,
                finished_at=at,
            )
        )


def is_own(part: BulkPart) -> bool:
    """Tell whether the claim still holds: nobody has cancelled the run or taken the part over."""
    return leases.own(part).exists()


def give_up(run: BulkRun, *, at: datetime) -> int:
    """Fail the parts whose workers died too often; return how many."""
    with recording.recording(
        Action.PART_FAILED, actor=WORKER, at=at, reason="its workers died too often"
    ):
        return run.parts.filter(leases.ran_out(at=at), attempts__gte=MOST_ATTEMPTS).update(
            state=PartState.FAILED,
            finished_at=at,
            problem=f"Its worker died {MOST_ATTEMPTS} times: it may need too much time or memory.",
        )


def wanted(run: BulkRun, *, at: datetime, width: int) -> int:
    """Return how many workers a run could use more, when so many should be at it."""
    alive = run.parts.filter(leases.alive(at=at)).count()
    free = _free(run, at=at).order_by()[: max(width - alive, 0)]
    return len(free.values_list("pk", flat=True))


def _free(run: BulkRun, *, at: datetime) -> QuerySet[BulkPart]:
    left = leases.ran_out(at=at) & Q(attempts__lt=MOST_ATTEMPTS)
    return BulkPart.objects.filter(
        Q(state=PartState.WAITING) | left, run=run, run__state=BulkState.RUNNING
    )


def _release(part: BulkPart, *, reason: str) -> None:
    """Give a part back that has to wait for somebody else's work; it costs no attempt."""
    with recording.recording(Action.PART_RENEWED, actor=WORKER, at=timezone.now(), reason=reason):
        leases.own(part).update(
            state=PartState.WAITING, attempts=part.attempts - 1, claimed_at=None, claimed_by=""
        )


def _outcome(part: BulkPart) -> Outcome:
    run = part.run
    try:
        with limits.memory(run.memory_mb):
            return Outcome(output=work.do(part, goes_on=lambda: is_own(part)))
    except (work.Waits, work.Stopped):
        raise
    except SoftTimeLimitExceeded:
        return Outcome(problem=f"It took longer than {timedelta(seconds=run.seconds)}.")
    except MemoryError:
        return Outcome(problem=f"It needed more than {run.memory_mb} MiB of memory.")
    except Refused as refused:
        return Outcome(problem=f"{refused.code}: {refused}")
    except Exception:
        log.exception("%s failed", part)
        broken = PartBroken(
            "it ended with an error that the twin has no words for. Try the part again; the "
            f"worker's log has the error as “{part}”"
        )
        return Outcome(problem=f"{broken.code}: {broken}")
