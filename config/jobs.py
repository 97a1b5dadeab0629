"""The jobs a new installation starts with; people change them in the admin afterwards."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from compliance.trail import recording
from compliance.trail.recording import System


class Action(StrEnum):
    JOBS_INSTALLED = "schedule.jobs-installed"


@dataclass(frozen=True)
class Job:
    """One scheduled task: every so many seconds, or daily at an hour (UTC)."""

    name: str
    task: str
    every_seconds: int = 0
    daily_at_hour: int | None = None


JOBS = (
    Job("Predict running batches", "twins.predictions.tasks.predict_running", 30),
    Job("Queue bulk runs again", "twins.bulk.tasks.requeue", 15),
    Job("Look after proposals of moves", "twins.advice.tasks.look_after_proposals", 30),
    Job("Look after explanations", "twins.explanations.tasks.look_after_explanations", 30),
    Job("Publish checkpoints", "compliance.trail.tasks.publish_checkpoints", 60),
    Job("Collect cosignatures", "compliance.trail.tasks.collect_cosignatures", 60),
    Job("Time-stamp the trail", "compliance.trail.tasks.stamp_time", 3600),
    Job("Export the log", "compliance.trail.tasks.export_log", 300),
    Job("Seal the heads of records", "compliance.trail.tasks.seal_heads", 3600),
    Job("Verify the trail", "compliance.trail.tasks.verify_trail", 3600),
    Job(
        "Remind of overdue work", "compliance.quality.tasks.remind_of_overdue_work", daily_at_hour=6
    ),
    Job("Let approved recipes take effect", "batches.recipes.tasks.take_due_effects", 60),
    Job("Announce changes", "batches.exchange.tasks.announce_changes", 10),
    Job("Watch over access", "compliance.access.tasks.watch_access", 300),
    Job("Build forgotten reports", "compliance.reports.tasks.build_forgotten_reports", 60),
    Job("Watch qualified models for drift", "twins.hub.tasks.watch_models", daily_at_hour=5),
    Job("Run forgotten inspections", "compliance.inspection.tasks.run_forgotten_inspections", 60),
)


def install(*, at: datetime) -> list[str]:
    """Add the jobs that are not there by name; leave every existing one as people set it."""
    known = set(PeriodicTask.objects.values_list("name", flat=True))
    missing = [job for job in JOBS if job.name not in known]
    if not missing:
        return []
    with recording.recording(
        Action.JOBS_INSTALLED, actor=System("installation"), at=at, reason="first schedule"
    ):
        for job in missing:
            schedule: dict[str, object] = {}
            if job.daily_at_hour is None:
                schedule["interval"], _ = IntervalSchedule.objects.get_or_create(
                    every=job.every_seconds, period=IntervalSchedule.SECONDS
                )
            else:
                schedule["crontab"], _ = CrontabSchedule.objects.get_or_create(
                    minute="0", hour=str(job.daily_at_hour), timezone="UTC"
                )
            PeriodicTask.objects.create(name=job.name, task=job.task, **schedule)
    return [job.name for job in missing]
