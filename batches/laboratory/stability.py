"""Plan stability studies, record their pulls and their results (21 CFR 211.166; EU GMP 6.27-6.36)."""

import calendar
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import QuerySet

from batches.execution.models import Batch
from batches.laboratory import states
from batches.laboratory.actions import Action
from batches.laboratory.models import (
    PullState,
    SpecificationState,
    SpecificationUse,
    SpecificationVersion,
    StabilityPull,
    StabilityStudy,
    StudyKind,
    StudyState,
)
from batches.laboratory.states import PullStep, StudyStep
from compliance import numbering
from compliance.access import authority
from compliance.access.duties import Duty
from compliance.access.models import User
from compliance.refusals import Refused
from compliance.signatures import signing
from compliance.signatures.models import Meaning
from compliance.signatures.signing import Confirmed
from compliance.trail import recording
from compliance.trail.tlog import canonical


class StudyInvalid(Refused):
    code = "study-invalid"
    status = 422


class AuthorApprovesStudy(Refused):
    code = "study-author-is-approver"


class OutOfWindow(Refused):
    """A pull outside its window says why; before its window it is none."""

    code = "pull-out-of-window"
    status = 422


@dataclass(frozen=True)
class Schedule:
    """The months of the pulls, and how many days before and after each one is in its window."""

    months: Sequence[int]
    days_before: int = 7
    days_after: int = 14


def plan(
    batch: Batch, *, specification: SpecificationVersion, kind: StudyKind, condition: str,
    started_on: date, schedule: Schedule, actor: User, at: datetime, reason: str,
    container: str = "",
) -> StabilityStudy:  # fmt: skip
    """Plan a study with all its pulls; quality approves it before it runs."""
    authority.demand(actor, Duty.AUTHOR_SPECIFICATION)
    text = recording.demand_reason(reason)
    _demand_possible(batch, specification, condition, schedule)
    with recording.recording(Action.STUDY_PLANNED, actor=actor, at=at, reason=text):
        study = StabilityStudy.objects.create(
            number=numbering.next_number(StabilityStudy, prefix="STB", at=at),
            batch=batch,
            specification=specification,
            kind=kind,
            condition=condition.strip(),
            container=container.strip(),
            started_on=started_on,
            author=actor,
        )
        StabilityPull.objects.bulk_create(
            _pull(study, month, schedule) for month in sorted(schedule.months)
        )
    return study


def approve(study: StabilityStudy, *, confirmed: Confirmed) -> StabilityStudy:
    """Approve a study by signature; from then on it runs as planned."""
    actor, at = confirmed.signer, confirmed.at
    authority.demand(actor, Duty.APPROVE_SPECIFICATION)
    with recording.recording(
        Action.STUDY_CHANGED, actor=actor, at=at, reason=f"approval of {study}"
    ):
        locked = _take(study, StudyStep.APPROVE)
        if actor.pk == locked.author_id:
            raise AuthorApprovesStudy(f"{locked}: its author does not approve it")
        signing.sign(locked, meaning=Meaning.APPROVED, confirmed=confirmed)
        locked.state, locked.approver, locked.approved_at = StudyState.RUNNING, actor, at
        locked.save(update_fields=["state", "approver", "approved_at"])
    return locked


def pull(
    pull: StabilityPull, *, pulled_at: datetime, actor: User, at: datetime, remark: str = ""
) -> StabilityPull:
    """Record that samples were pulled; outside the window it takes a remark that says why."""
    authority.demand(actor, Duty.ENTER_RESULTS)
    on = pulled_at.date()
    if pulled_at > at or on < pull.opens_on:
        raise OutOfWindow(f"{pull}: its window opens on {pull.opens_on}, and not in the future")
    if on > pull.closes_on:
        remark = recording.demand_reason(remark)
    return _record(
        pull, PullStep.PULL, state=PullState.PULLED, pulled_at=pulled_at,
        remark=remark.strip(), actor=actor, at=at,
        reason=remark.strip() or f"pull of {pull}",
    )  # fmt: skip


def miss(pull: StabilityPull, *, actor: User, at: datetime, reason: str) -> StabilityPull:
    """Record that a pull was missed, and why; it stays as a gap in the study."""
    authority.demand(actor, Duty.ENTER_RESULTS)
    text = recording.demand_reason(reason)
    if at.date() <= pull.closes_on:
        raise OutOfWindow(f"{pull}: its window is open until {pull.closes_on}; pull it")
    return _record(
        pull, PullStep.MISS, state=PullState.MISSED, pulled_at=None, remark=text, actor=actor,
        at=at, reason=text,
    )  # fmt: skip


def complete(study: StabilityStudy, *, actor: User, at: datetime, reason: str) -> StabilityStudy:
    """Complete a study when every pull was made or missed."""
    authority.demand(actor, Duty.AUTHOR_SPECIFICATION)
    text = recording.demand_reason(reason)
    with recording.recording(Action.STUDY_CHANGED, actor=actor, at=at, reason=text):
        locked = _take(study, StudyStep.COMPLETE)
        if left := locked.pulls.filter(state=PullState.PLANNED).order_by("month").first():
            raise StudyInvalid(f"{left} is still planned: pull it, or say that it was missed")
        locked.state = StudyState.COMPLETED
        locked.save(update_fields=["state"])
    return locked


def overdue(*, on: date) -> QuerySet[StabilityPull]:
    """Return the pulls of running studies whose window has passed without a record."""
    return StabilityPull.objects.filter(
        study__state=StudyState.RUNNING, state=PullState.PLANNED, closes_on__lt=on
    ).order_by("closes_on", "pk")


def _demand_possible(
    batch: Batch, specification: SpecificationVersion, condition: str, schedule: Schedule
) -> None:
    problems = []
    if specification.state != SpecificationState.EFFECTIVE:
        problems.append(f"{specification} is not effective")
    of = specification.specification
    if of.product_id != batch.recipe.product_id or of.use == SpecificationUse.MATERIAL:
        problems.append(f"{specification} is not of the product of {batch}")
    if not condition.strip():
        problems.append("name the storage condition")
    months = list(schedule.months)
    if not months or len(set(months)) != len(months) or not all(0 <= m <= 120 for m in months):
        problems.append("pulls are in different months from 0 to 120")
    if not (0 <= schedule.days_before <= 60 and 0 <= schedule.days_after <= 60):
        problems.append("a window is at most 60 days before and after")
    if problems:
        raise StudyInvalid("; ".join(problems))


def _pull(study: StabilityStudy, month: int, schedule: Schedule) -> StabilityPull:
    due_on = months_after(study.started_on, month)
    return StabilityPull(
        study=study,
        month=month,
        due_on=due_on,
        opens_on=due_on - timedelta(days=schedule.days_before),
        closes_on=due_on + timedelta(days=schedule.days_after),
    )


def months_after(day: date, months: int) -> date:
    """Return the same day so many months later, or the last one of a shorter month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _record(
    pull: StabilityPull, step: PullStep, *, state: PullState, pulled_at: datetime | None,
    remark: str, actor: User, at: datetime, reason: str,
) -> StabilityPull:  # fmt: skip
    with recording.recording(Action.STABILITY_PULLED, actor=actor, at=at, reason=reason):
        _take(pull.study, StudyStep.PULL)
        locked = StabilityPull.objects.select_for_update().get(pk=pull.pk)
        states.demand(locked, locked.state, step)
        locked.state, locked.pulled_at, locked.remark = state, pulled_at, remark
        locked.pulled_by = actor.username if pulled_at else ""
        locked.save(update_fields=["state", "pulled_at", "pulled_by", "remark"])
    return locked


def _take(study: StabilityStudy, step: StudyStep) -> StabilityStudy:
    locked = StabilityStudy.objects.select_for_update().get(pk=study.pk)
    states.demand(locked, locked.state, step)
    return locked


@signing.signable(StabilityStudy, meanings=[Meaning.APPROVED])
def content(study: StabilityStudy) -> Mapping[str, canonical.Value]:
    """What a signature under a study covers: its plan."""
    return {
        "number": study.number,
        "batch": study.batch.number,
        "specification": str(study.specification),
        "kind": study.kind,
        "condition": study.condition,
        "container": study.container,
        "started_on": study.started_on.isoformat(),
        "author": study.author.username,
        "pulls": [
            [one.month, one.opens_on.isoformat(), one.due_on.isoformat(), one.closes_on.isoformat()]
            for one in study.pulls.order_by("month")
        ],
    }
