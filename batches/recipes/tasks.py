"""Let approved versions take effect on their day."""

from typing import Any

from celery import shared_task
from django.utils import timezone

from batches.recipes import versions


@shared_task
def take_due_effects(**_: Any) -> int:
    """Make every approved version effective whose day has come; return how many."""
    return len(versions.take_due_effects(at=timezone.now()))
