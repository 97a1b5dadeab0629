"""The Celery application: workers run twins, reports and inspections; ids only travel."""

import os
from typing import Any

from celery import Celery
from celery.signals import task_postrun, task_prerun

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from compliance.trail import recording

app = Celery("gmp")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@task_prerun.connect
def _name_source(task_id: str, task: Any, **_: Any) -> None:
    recording.source.set(f"task:{task.name}:{task_id}"[:200])


@task_postrun.connect
def _forget_source(**_: Any) -> None:
    recording.source.set("process")
