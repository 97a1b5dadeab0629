"""Repeat what access must not forget."""

from typing import Any

from celery import shared_task
from django.utils import timezone

from compliance.access import watch


@shared_task
def watch_access(**_: Any) -> int:
    """Raise alarms for turned clocks, many refusals, leavers and late reviews."""
    return len(watch.look(at=timezone.now()))
