"""Repeat what quality must not forget."""

from typing import Any

from celery import shared_task
from django.utils import timezone

from compliance.quality import deviations


@shared_task
def remind_of_overdue_work(**_: Any) -> int:
    """Record one reminder a day for each overdue deviation."""
    return deviations.remind(at=timezone.now())
