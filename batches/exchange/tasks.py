"""Tell receivers of changes in workers."""

from typing import Any

from celery import shared_task
from django.utils import timezone

from batches.exchange import deliveries


@shared_task
def announce_changes(**_: Any) -> int:
    """Make the messages of what was sealed since, and have those delivered whose time has come."""
    at = timezone.now()
    deliveries.announce(at=at)
    waiting = deliveries.waiting_subscriptions(at=at)
    for pk in waiting:
        deliver_messages.delay(subscription_id=pk)
    return len(waiting)


@shared_task
def deliver_messages(*, subscription_id: int, **_: Any) -> int:
    """Deliver what is due to one subscription; the next sweep goes on."""
    return deliveries.deliver_due(subscription_id, clock=timezone.now)
