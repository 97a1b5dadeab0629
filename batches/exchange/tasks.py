"""Tell receivers of changes in workers."""

from typing import Any

from celery import shared_task
from django.utils import timezone

from batches.exchange import deliveries
from batches.exchange.models import Delivery

AT_ONCE = 500


@shared_task
def announce_changes(**_: Any) -> int:
    """Make the messages of what was sealed since, and queue each whose time has come."""
    at = timezone.now()
    deliveries.announce(at=at)
    due = list(deliveries.due(at=at).values_list("pk", flat=True)[:AT_ONCE])
    for pk in due:
        deliver_message.delay(delivery_id=pk)
    return len(due)


@shared_task
def deliver_message(*, delivery_id: int, **_: Any) -> None:
    """Try one message once; the next sweep queues it again."""
    deliveries.attempt(Delivery.objects.get(pk=delivery_id), at=timezone.now())
