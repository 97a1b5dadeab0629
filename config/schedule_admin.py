"""Scheduled jobs in the admin, in place of the scheduler's own pages that save by themselves."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)

from compliance.access import acts, page_parts
from compliance.access.acts import Act, Done, Occasion, ReasonForm
from compliance.access.duties import Duty
from compliance.access.page_parts import Facts, Page, Section
from compliance.access.record_admin import RecordAdmin
from config import schedule
from config.schedule import Times

OWN_PAGES = (PeriodicTask, IntervalSchedule, CrontabSchedule, ClockedSchedule, SolarSchedule)


class TimesForm(ReasonForm):
    """Ask when a job runs."""

    every_seconds = forms.IntegerField(
        label="Every (seconds)", min_value=1, max_value=31 * 86_400, required=False
    )
    hour = forms.IntegerField(
        label="Or daily at hour (UTC)", min_value=0, max_value=23, required=False
    )
    minute = forms.IntegerField(min_value=0, max_value=59, required=False)
    field_order: Sequence[str] | None = ("every_seconds", "hour", "minute", "reason")


class JobForm(TimesForm):
    name = forms.CharField(max_length=200)
    task = forms.ChoiceField(help_text="What the workers of this installation can do.")
    field_order = ("name", "task", "every_seconds", "hour", "minute", "reason")


def _times(given: Any) -> Times:
    return Times(
        every_seconds=given["every_seconds"], hour=given["hour"], minute=given["minute"] or 0
    )


def _create(occasion: Occasion) -> Done:
    job = schedule.create(
        name=occasion.values["name"],
        task=occasion.values["task"],
        times=_times(occasion.values),
        actor=occasion.actor,
        at=occasion.at,
        reason=occasion.values["reason"],
    )
    return Done(f"{job.name} is scheduled.", job)


def _change(occasion: Occasion) -> Done:
    job = schedule.change(
        occasion.record,
        times=_times(occasion.values),
        actor=occasion.actor,
        at=occasion.at,
        reason=occasion.values["reason"],
    )
    return Done(f"{job.name} runs {_when(job)} from now on.")


def _switch_on(occasion: Occasion) -> Done:
    return _switched(occasion, is_on=True)


def _switch_off(occasion: Occasion) -> Done:
    return _switched(occasion, is_on=False)


def _switched(occasion: Occasion, *, is_on: bool) -> Done:
    job = schedule.switch(
        occasion.record,
        is_on=is_on,
        actor=occasion.actor,
        at=occasion.at,
        reason=occasion.values["reason"],
    )
    return Done(f"{job.name} is {'on' if is_on else 'off'}.")


def _tasks(record: Any) -> list[tuple[str, str]]:
    return [(name, name) for name in schedule.known_tasks()]


def _present_times(job: Any) -> dict[str, Any]:
    if job.interval:
        return {"every_seconds": int(job.interval.schedule.run_every.total_seconds())}
    if job.crontab and job.crontab.hour.isdigit() and job.crontab.minute.isdigit():
        return {"hour": int(job.crontab.hour), "minute": int(job.crontab.minute)}
    return {}


def _is_on(job: Any) -> bool:
    return bool(job.enabled)


def _is_off(job: Any) -> bool:
    return not job.enabled


def _when(job: Any) -> str:
    return str(job.interval or job.crontab or job.clocked or job.solar or "never")


class JobAdmin(RecordAdmin):
    list_display = ("name", "task", "runs", "enabled", "last_run_at", "total_run_count")
    list_filter = ("enabled",)
    search_fields = ("name", "task")
    list_select_related = ("interval", "crontab", "clocked", "solar")
    ordering = ("name",)
    empty_text = "Nothing runs by itself: reminders, checks and predictions wait for a job here."

    @admin.display(description="Runs")
    def runs(self, job: Any) -> str:
        return _when(job)

    def page(self, record: Any, request: HttpRequest) -> Page:
        standing = (
            page_parts.badge("On", "good") if record.enabled else page_parts.badge("Off", "bad")
        )
        facts = Facts(
            [
                ("Task", record.task),
                ("Runs", _when(record)),
                ("Arguments", "" if record.kwargs == "{}" else record.kwargs),
                ("Description", record.description),
                ("Last run", page_parts.moment(record.last_run_at) or "not yet"),
                ("Runs so far", str(record.total_run_count)),
            ]
        )
        return Page(title=record.name, badges=[standing], sections=[Section("Job", [facts])])


def take_over() -> None:
    """Replace the scheduler's own pages: a change of the schedule is an act with a reason."""
    for model in OWN_PAGES:
        if admin.site.is_registered(model):
            admin.site.unregister(model)
    admin.site.register(PeriodicTask, JobAdmin)


_DUTY = Duty.ADMINISTER_SCHEDULE
acts.offer(
    PeriodicTask,
    Act(
        "create", "Schedule a job", _DUTY, _create, form=JobForm, is_for_list=True,
        choices={"task": _tasks},
    ),
    Act(
        "change", "Change its times", _DUTY, _change, form=TimesForm, initial=_present_times,
    ),
    Act("switch-on", "Switch on", _DUTY, _switch_on, is_offered=_is_off),
    Act("switch-off", "Switch off", _DUTY, _switch_off, is_offered=_is_on, is_grave=True),
)  # fmt: skip
