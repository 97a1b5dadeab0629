"""Deliver messages until they are taken: again and again for seven days, then give up aloud."""

import hashlib
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet

from batches.exchange import changes, subscriptions, webhook_sending, webhook_signatures
from batches.exchange.actions import Action
from batches.exchange.changes import Filter
from batches.exchange.models import (
    Delivery,
    DeliveryAttempt,
    DeliveryState,
    Position,
    Replay,
    Subscription,
)
from batches.exchange.webhook_sending import Answer
from compliance.access import authority
from compliance.access.duties import Duty
from compliance.access.models import User
from compliance.refusals import Refused
from compliance.trail import recording

PATIENCE = timedelta(days=7)
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=5), timedelta(hours=12)
CLAIM = timedelta(seconds=120)  # longer than a try can take: who claims and dies is followed
WORK = timedelta(seconds=45)  # of one task for one subscription
BUSY = WORK + CLAIM
MOST_PAGES = 20
PAGE = 500


class DeliveryWaiting(Refused):
    """The message is on its way already."""

    code = "delivery-waiting"


def announce(*, at: datetime) -> int:
    """Make the messages of what was sealed since; return how many. Safe to run twice at once."""
    pks = Subscription.objects.filter(is_active=True).order_by("pk").values_list("pk", flat=True)
    return sum(_announce(pk, at) for pk in pks)


def due(*, at: datetime) -> QuerySet[Delivery]:
    """Return the messages whose next try has come."""
    return Delivery.objects.filter(
        state=DeliveryState.WAITING, next_try_at__lte=at, subscription__is_active=True
    ).order_by("pk")


def waiting_subscriptions(*, at: datetime) -> list[int]:
    """Return the numbers of subscriptions that have something due."""
    return list(due(at=at).order_by().values_list("subscription", flat=True).distinct())


def deliver_due(subscription_id: int, *, clock: Callable[[], datetime]) -> int:
    """Deliver what is due to one subscription, in order; return how many were tried.

    One worker at a time does so. It stops at the first message that is not taken: a receiver that
    is away is asked once a sweep, and not once for each message that waits.
    """
    at = clock()
    free = Q(busy_until=None) | Q(busy_until__lt=at)
    mine = Position.objects.filter(free, subscription=subscription_id)
    if not mine.update(busy_until=at + BUSY):
        return 0
    tried = 0
    try:
        while clock() < at + WORK:
            delivery = due(at=clock()).filter(subscription=subscription_id).first()
            if delivery is None:
                break
            tried += 1
            if attempt(delivery, at=clock()).state != DeliveryState.DELIVERED:
                break
    finally:
        Position.objects.filter(subscription=subscription_id).update(busy_until=None)
    return tried


def attempt(delivery: Delivery, *, at: datetime) -> Delivery:
    """Try a message once when its time has come and nobody else does; what happened is kept."""
    claimed = Delivery.objects.filter(
        pk=delivery.pk, state=DeliveryState.WAITING, next_try_at__lte=at,
        subscription__is_active=True,
    ).update(next_try_at=at + CLAIM, attempt_count=F("attempt_count") + 1)  # fmt: skip
    if not claimed:
        return Delivery.objects.get(pk=delivery.pk)
    held = Delivery.objects.select_related("subscription__device").get(pk=delivery.pk)
    answer = webhook_sending.post(
        held.subscription.url, body=held.body.encode(), headers=_headers(held, at)
    )
    with transaction.atomic():
        _keep(held, answer, at)
    return held


def replay(delivery: Delivery, *, actor: User, at: datetime, reason: str) -> Delivery:
    """Send a message again, under its id: its receiver knows it by that."""
    authority.demand(actor, Duty.ADMINISTER_ACCESS)
    text = recording.demand_reason(reason)
    with recording.recording(Action.DELIVERY_REPLAYED, actor=actor, at=at, reason=text):
        held = Delivery.objects.select_for_update().get(pk=delivery.pk)
        if held.state == DeliveryState.WAITING and not held.attempt_count:
            raise DeliveryWaiting(f"{held.message_id} was not tried yet; it is on its way")
        Replay.objects.create(delivery=held, replayed_by=actor, replayed_at=at, reason=text)
        held.state, held.next_try_at = DeliveryState.WAITING, at
        held.retry_until = at + PATIENCE
        held.save(update_fields=["state", "next_try_at", "retry_until"])
    return held


def wait_after(attempts: int, *, spread: str = "") -> timedelta:
    """Return how long to wait after so many tries: four times longer each, a little apart."""
    times: int = 4 ** max(0, min(attempts - 1, 10))
    share = hashlib.sha256(f"{spread} {attempts}".encode()).digest()[0] / 255
    wait: timedelta = min(LONGEST_WAIT, FIRST_WAIT * times)
    return wait * (1 + 0.1 * share)


def _announce(pk: int, at: datetime) -> int:
    made = 0
    for _ in range(MOST_PAGES):
        with transaction.atomic():
            position = (
                Position.objects.select_for_update(skip_locked=True, of=("self",))
                .select_related("subscription__device")
                .filter(subscription=pk)
                .first()
            )
            if position is None:
                return made
            subscription = position.subscription
            page = changes.read(
                position.cursor,
                limit=PAGE,
                wanted=Filter(subscription.kinds.split()),
                by=changes.reader(subscription.device),
            )
            messages = [_message(subscription, event, at) for event in page.events]
            Delivery.objects.bulk_create(messages, ignore_conflicts=True)
            if page.cursor != position.cursor:
                position.cursor = page.cursor
                position.save(update_fields=["cursor"])
        made += len(messages)
        if not page.has_more:
            break
    return made


def _message(subscription: Subscription, event: dict[str, Any], at: datetime) -> Delivery:
    """Return a hint: which record changed and how, without its values; the feed has them."""
    hinted = ("record", "record_id", "record_seq", "op", "action", "entry_digest")
    body = {
        "type": event["type"],
        "timestamp": event["time"],
        "data": {
            **{name: event["data"][name] for name in hinted},
            "cursor": event["id"],
            "sequence": event["sequence"],
        },
    }
    return Delivery(
        subscription=subscription,
        message_id=f"evt_{event['id']}",
        event_type=event["type"],
        body=json.dumps(body, separators=(",", ":"), ensure_ascii=False),
        created_at=at,
        retry_until=at + PATIENCE,
        next_try_at=at,
    )


def _headers(delivery: Delivery, at: datetime) -> dict[str, str]:
    timestamp = int(at.timestamp())
    body = delivery.body.encode()
    signatures = [
        webhook_signatures.sign(
            secret, message_id=delivery.message_id, timestamp=timestamp, body=body
        )
        for secret in subscriptions.secrets_of(delivery.subscription, at=at)
    ]
    return {
        "Content-Type": "application/json",
        "User-Agent": "gmp-twin-webhooks/1",
        "webhook-id": delivery.message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signatures),
    }


def _keep(delivery: Delivery, answer: Answer, at: datetime) -> None:
    number = delivery.attempts.count() + 1
    DeliveryAttempt.objects.create(
        delivery=delivery, number=number, tried_at=at, status=answer.status, answer=answer.text,
        took_ms=answer.took_ms,
    )  # fmt: skip
    said = f"{answer.status or 'no answer'}: {answer.text}"[:300]
    wait = wait_after(delivery.attempt_count, spread=delivery.message_id)
    wait = max(wait, min(LONGEST_WAIT, timedelta(seconds=answer.retry_after_s)))
    delivery.last_answer = said
    if answer.is_success:
        delivery.state, delivery.next_try_at = DeliveryState.DELIVERED, None
    elif answer.is_gone or at + wait > delivery.retry_until:
        delivery.state, delivery.next_try_at = DeliveryState.EXHAUSTED, None
    else:
        delivery.next_try_at = at + wait
    delivery.save(update_fields=["state", "next_try_at", "last_answer"])
    if delivery.state == DeliveryState.EXHAUSTED:
        why = (
            "its receiver answered that it is gone (410)"
            if answer.is_gone
            else f"{delivery.message_id} was not taken in {PATIENCE.days} days; last: {said}"
        )
        subscriptions.give_up(delivery.subscription, why=why, at=at)
