"""Watch over qualified versions in a worker."""

from typing import Any

from celery import shared_task
from django.utils import timezone

from twins.hub import drift_watch


@shared_task
def watch_models(**_: Any) -> int:
    """Check each qualified version for drift when a window of batches is full; return how many."""
    return len(drift_watch.check_all(at=timezone.now()))
