"""Repeat what quality must not forget."""

from typing import Any

from celery import shared_task
from django.utils import timezone

from compliance.quality import due_dates


@shared_task
def remind_of_overdue_work(**_: Any) -> int:
    """Record one reminder a day for each overdue deviation, and tell the next level of late work."""
    at = timezone.now()
    return due_dates.remind(at=at) + due_dates.escalate(at=at)
