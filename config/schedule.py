"""Change which tasks run by themselves, and how often: each change with a reason."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from compliance.access import authority
from compliance.access.duties import Duty
from compliance.access.models import User
from compliance.refusals import Refused
from compliance.trail import recording


class Action(StrEnum):
    SCHEDULE_CHANGED = "schedule.changed"


class ScheduleInvalid(Refused):
    """The job names no known task, or its times are none."""

    code = "schedule-invalid"
    status = 422


@dataclass(frozen=True)
class Times:
    """Either every so many seconds, or at a minute of an hour of each day (UTC)."""

    every_seconds: int | None = None
    hour: int | None = None
    minute: int = 0


def known_tasks() -> list[str]:
    """Return the tasks that workers of this installation know."""
    from config.celery import app

    app.loader.import_default_modules()
    return sorted(name for name in app.tasks if not name.startswith("celery."))


def create(
    *, name: str, task: str, times: Times, actor: User, at: datetime, reason: str
) -> PeriodicTask:
    """Let a task run by itself; raise `ScheduleInvalid` for an unknown task or a name in use."""
    authority.demand(actor, Duty.ADMINISTER_SCHEDULE)
    text = recording.demand_reason(reason)
    if task not in known_tasks():
        raise ScheduleInvalid(f"no worker knows a task named {task}")
    if PeriodicTask.objects.filter(name=name).exists():
        raise ScheduleInvalid(f"a job named {name} is there already; change that one")
    with recording.recording(Action.SCHEDULE_CHANGED, actor=actor, at=at, reason=text):
        job = PeriodicTask(name=name, task=task, description=text)
        _set(job, times)
        job.save()
    return job


def change(
    job: PeriodicTask, *, times: Times, actor: User, at: datetime, reason: str
) -> PeriodicTask:
    """Let a job run at other times."""
    authority.demand(actor, Duty.ADMINISTER_SCHEDULE)
    text = recording.demand_reason(reason)
    with recording.recording(Action.SCHEDULE_CHANGED, actor=actor, at=at, reason=text):
        held = PeriodicTask.objects.select_for_update().get(pk=job.pk)
        _set(held, times)
        held.save()
    return held


def switch(
    job: PeriodicTask, *, is_on: bool, actor: User, at: datetime, reason: str
) -> PeriodicTask:
    """Switch a job on or off; raise `ScheduleInvalid` when it is so already."""
    authority.demand(actor, Duty.ADMINISTER_SCHEDULE)
    text = recording.demand_reason(reason)
    with recording.recording(Action.SCHEDULE_CHANGED, actor=actor, at=at, reason=text):
        held = PeriodicTask.objects.select_for_update().get(pk=job.pk)
        if held.enabled == is_on:
            raise ScheduleInvalid(f"{held.name} is {'on' if is_on else 'off'} already")
        held.enabled = is_on
        # The whole record: saving it also tells the scheduler to read it again.
        held.save()
    return held


def _set(job: PeriodicTask, times: Times) -> None:
    if (times.every_seconds is None) == (times.hour is None):
        raise ScheduleInvalid("say either every how many seconds, or at which hour of the day")
    if times.every_seconds is not None:
        if times.every_seconds < 1:
            raise ScheduleInvalid("a job runs every second at most")
        job.interval, _ = IntervalSchedule.objects.get_or_create(
            every=times.every_seconds, period=IntervalSchedule.SECONDS
        )
        job.crontab = None
        return
    if not (0 <= (times.hour or 0) <= 23 and 0 <= times.minute <= 59):
        raise ScheduleInvalid("the hour is 0 to 23 and the minute 0 to 59")
    job.crontab, _ = CrontabSchedule.objects.get_or_create(
        minute=str(times.minute), hour=str(times.hour), timezone="UTC"
    )
    job.interval = None
