"""The Celery application: workers run twins, reports and inspections; ids only travel."""

import os
from typing import Any

from celery import Celery
from celery.signals import (
    beat_init,
    celeryd_after_setup,
    task_failure,
    task_postrun,
    task_prerun,
    worker_init,
)

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from compliance.trail import recording
from config import queues

NICENESS = 10

app = Celery("gmp")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_init.connect
@beat_init.connect
def _note_configuration(signal: Any, **_: Any) -> None:
    from django.utils import timezone

    from config import configuration

    configuration.note("beat" if signal is beat_init else "worker", at=timezone.now())


@celeryd_after_setup.connect
def _give_way(instance: Any, **_: Any) -> None:
    """Let a worker that serves bulk work only, and its processes, run when nobody else wants to."""
    if set(instance.app.amqp.queues.consume_from) == {queues.BULK}:
        os.nice(NICENESS)


@task_prerun.connect
def _name_source(task_id: str, task: Any, **_: Any) -> None:
    recording.source.set(f"task:{task.name}:{task_id}"[:200])


@task_postrun.connect
def _forget_source(**_: Any) -> None:
    recording.source.set("process")


@task_failure.connect
def _keep_refusal(sender: Any, exception: BaseException, **_: Any) -> None:
    """Record what a rule refused a task that does not answer for it itself."""
    from django.utils import timezone

    from compliance.refusals import Refused
    from compliance.trail import refusals

    refused = exception if isinstance(exception, Refused) else refusals.of_database(exception)
    if refused is not None:
        actor = recording.System(sender.name)
        refusals.record(refused, action=f"task {sender.name}", actor=actor, at=timezone.now())
