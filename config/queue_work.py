"""Gather from our own records what each queue has to do: due, claimed by whom, and left behind."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from celery.schedules import crontab, schedule
from django.db.models import Count, Max, Min, Q, QuerySet
from django_celery_beat.models import PeriodicTask

from compliance.inspection import inspections
from compliance.inspection.models import Inspection, InspectionState
from compliance.reports.models import Report, ReportState
from config import queues
from twins.advice.models import Proposal
from twins.bulk.models import BulkPart, BulkState, PartState
from twins.explanations.models import Explanation
from twins.predictions import leases, overdue
from twins.predictions.asked.models import REQUESTED
from twins.predictions.models import Prediction

SHOWN = 50
# Beat writes down when it sent a job every three minutes only: what is later than this was not sent.
_BEAT_NOTES_WITHIN = timedelta(minutes=6)


@dataclass(frozen=True)
class Claim:
    """What one worker is at; its name is empty where the record does not say it."""

    what: str
    worker: str
    renewed_at: datetime | None
    has_run_out: bool


@dataclass(frozen=True)
class Work:
    """What one kind of record still asks of a queue.

    `due` is what nobody is at: never taken, or claimed by a worker that died (`ran_out`).
    `waits_since`: the oldest of it waits since then; of bulk work, since the last sign of a worker.
    `refused` is due too, but no worker can do it. `claims` are the oldest `SHOWN` of `claimed`.
    """

    queue: str
    kind: str
    due: int = 0
    oldest_due_at: datetime | None = None
    waits_since: datetime | None = None
    claimed: int = 0
    ran_out: int = 0
    refused: int = 0
    claims: tuple[Claim, ...] = ()


def of_all(*, at: datetime) -> list[Work]:
    """Return what all queues have to do, as the records say at this moment."""
    return [
        _reports(), _inspections(at),
        _asked("advice", Proposal, at=at),
        _asked("explanations", Explanation, at=at),
        _predictions(at), _jobs(at), _parts(at),
    ]  # fmt: skip


def _reports() -> Work:
    asked = Report.objects.filter(state=ReportState.REQUESTED)
    found = asked.aggregate(due=Count("pk"), oldest=Min("requested_at"))
    return _work(queues.INTERACTIVE, "reports", found["due"], found["oldest"])


def _inspections(at: datetime) -> Work:
    asked = Inspection.objects.filter(state=InspectionState.REQUESTED)
    running = Inspection.objects.filter(state=InspectionState.RUNNING)
    lost = Q(as_of__lt=at - inspections.LOST_AFTER)
    claims = tuple(
        Claim(str(one), "", one.as_of, bool(one.as_of and one.as_of < at - inspections.LOST_AFTER))
        for one in running.order_by("as_of")[:SHOWN]
    )
    found = asked.aggregate(due=Count("pk"), oldest=Min("requested_at"))
    taken = running.aggregate(
        all=Count("pk"), lost=Count("pk", filter=lost), oldest=Min("as_of", filter=lost)
    )
    return _work(
        queues.INTERACTIVE, "inspections", found["due"], found["oldest"], taken=taken, claims=claims
    )


def _asked(kind: str, model: type[Proposal | Explanation], *, at: datetime) -> Work:
    """Return what was asked for, by people and for new alerts, and what workers hold of it."""
    rows = model._default_manager.all()
    found = rows.filter(state=REQUESTED).aggregate(due=Count("pk"), oldest=Min("requested_at"))
    return _leased(
        queues.INTERACTIVE, kind, found["due"], found["oldest"],
        rows=rows.defer("input", "output"), at=at,
    )  # fmt: skip


def _predictions(at: datetime) -> Work:
    found = overdue.of_all()
    rows = Prediction.objects.select_related("batch").defer("input", "output")
    return _leased(
        queues.SCHEDULED,
        "predictions",
        found.due,
        found.since,
        rows=rows,
        at=at,
        refused=found.refused,
    )


def _jobs(at: datetime) -> Work:
    """Count the jobs of the schedule that were not sent: then beat is down."""
    late = [
        due_at
        for job in PeriodicTask.objects.filter(enabled=True, one_off=False).select_related(
            "interval", "crontab", "solar", "clocked"
        )
        if (due_at := _due_at(job)) is not None and due_at < at - _BEAT_NOTES_WITHIN
    ]
    return _work(queues.SCHEDULED, "jobs of the schedule", len(late), min(late, default=None))


def _due_at(job: PeriodicTask) -> datetime | None:
    """Return when a job was due after it was sent last, or after it was set; None for other kinds."""
    times, last = job.schedule, job.last_run_at or job.date_changed
    due_at: datetime | None = None
    if isinstance(times, crontab):
        start, delta, _ = times.remaining_delta(last)
        due_at = start + delta
    elif isinstance(times, schedule):
        due_at = last + times.run_every  # type: ignore[attr-defined]
    return due_at


def _parts(at: datetime) -> Work:
    rows = BulkPart.objects.filter(run__state=BulkState.RUNNING)
    waiting = Count("pk", filter=Q(state=PartState.WAITING))
    found = rows.aggregate(
        due=waiting,
        oldest=Min("run__requested_at", filter=Q(state=PartState.WAITING)),
        claimed=Max("claimed_at"),
        finished=Max("finished_at"),
    )
    signs = [one for one in (found["claimed"], found["finished"]) if one is not None]
    listed = rows.select_related("run").defer("work", "output", "run__request", "run__result")
    return _leased(
        queues.BULK, "parts of bulk runs", found["due"], found["oldest"], rows=listed, at=at,
        last_sign=max(signs, default=None),
    )  # fmt: skip


def _leased(
    queue: str, kind: str, due: int, oldest: datetime | None, *, rows: QuerySet[Any], at: datetime,
    refused: int = 0, last_sign: datetime | None = None,
) -> Work:  # fmt: skip
    dead = leases.ran_out(at=at)
    claimed = rows.filter(state=leases.CLAIMED)
    taken = claimed.aggregate(
        all=Count("pk"), lost=Count("pk", filter=dead), oldest=Min("claimed_at", filter=dead)
    )
    claims = tuple(
        Claim(
            str(one),
            leases.worker(one.claimed_by),
            one.claimed_at,
            one.claimed_at < at - leases.STALE_AFTER,
        )
        for one in claimed.order_by("claimed_at", "pk")[:SHOWN]
    )
    return _work(
        queue, kind, due, oldest, taken=taken, claims=claims, refused=refused, last_sign=last_sign
    )


def _work(
    queue: str, kind: str, due: int, oldest: datetime | None, *,
    taken: dict[str, Any] | None = None, claims: tuple[Claim, ...] = (), refused: int = 0,
    last_sign: datetime | None = None,
) -> Work:  # fmt: skip
    lost, since = (taken["lost"], taken["oldest"]) if taken else (0, None)
    oldest_due_at = min((one for one in (oldest, since) if one is not None), default=None)
    waits_since = oldest_due_at
    if oldest_due_at is not None and last_sign is not None:
        waits_since = max(oldest_due_at, last_sign)
    return Work(
        queue=queue,
        kind=kind,
        due=due + lost,
        oldest_due_at=oldest_due_at,
        waits_since=waits_since,
        claimed=taken["all"] if taken else 0,
        ran_out=lost,
        refused=refused,
        claims=claims,
    )
