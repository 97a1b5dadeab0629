"""Messages are signed, retried for seven days, replayed by people, and given up aloud."""

import base64
import json
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from itertools import pairwise
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.db import connection
from django.db.utils import DatabaseError
from django.test import Client
from django.utils import timezone
from standardwebhooks import Webhook, WebhookVerificationError

from batches.exchange import (
    deliveries,
    subscriptions,
    tasks,
    webhook_addresses,
    webhook_sending,
    webhook_signatures,
)
from batches.exchange.models import (
    Delivery,
    DeliveryState,
    Position,
    Replay,
    Scheme,
    Subscription,
)
from compliance.access.authority import NotPermitted
from compliance.access.duties import Role
from compliance.access.models import AlarmKind, SecurityAlarm, User
from compliance.trail.models import Entry
from tests import factories, trail_log
from tests.batches.exchange.receiving import Receiver, receiver
from tests.conftest import FreshLog
from tests.factories import NOON

WHY = "the LIMS is told of changes"


@pytest.fixture
def hooks(settings: Any) -> Any:
    settings.WEBHOOK_HTTP = settings.WEBHOOK_PRIVATE = True
    with receiver() as found:
        yield found


@pytest.fixture
def administrator(db: None) -> User:
    return factories.person(Role.SYSTEM_ADMINISTRATOR)


def _subscribed(
    to: Receiver, by: User, *, at: datetime = NOON, **said: Any
) -> tuple[Subscription, str]:
    return subscriptions.subscribe(
        name="lims", url=to.url, device=factories.device(at=at), actor=by, at=at, reason=WHY, **said
    )


def _message(
    subscription: Subscription, *, number: int = 1, at: datetime | None = None
) -> Delivery:
    now = at or timezone.now()
    return Delivery.objects.create(
        subscription=subscription, message_id=f"evt_1.{number}", event_type="gmp.x.insert",
        body=json.dumps({"type": "gmp.x.insert", "data": {"text": "µ"}}), created_at=now,
        retry_until=now + deliveries.PATIENCE, next_try_at=now,
    )  # fmt: skip


def test_what_is_sealed_is_announced_once_and_verified_by_the_library(
    fresh_log: FreshLog, hooks: Receiver
) -> None:
    administrator = factories.person(Role.SYSTEM_ADMINISTRATOR)
    before = factories.batch()
    trail_log.seal_and_sign()
    subscription, secret = _subscribed(hooks, administrator, kinds="execution_batch")
    batch = factories.running_batch()
    trail_log.seal_and_sign()

    at = timezone.now()
    assert (deliveries.announce(at=at), deliveries.announce(at=at)) == (2, 0)
    for delivery in deliveries.due(at=at):
        deliveries.attempt(delivery, at=timezone.now())

    verified = [Webhook(secret).verify(body, headers) for headers, body in hooks.received]
    assert [one["type"] for one in verified] == [
        "gmp.execution_batch.insert", "gmp.execution_batch.update",
    ]  # fmt: skip
    assert {one["data"]["record_id"] for one in verified} == {str(batch.pk)}
    assert str(before.pk) != str(batch.pk)
    assert "new" not in verified[0]["data"]  # a hint: what it was is read in the feed
    assert set(Delivery.objects.values_list("state", "attempt_count")) == {("delivered", 1)}
    with pytest.raises(WebhookVerificationError):
        Webhook(webhook_signatures.new_secret()).verify(hooks.received[0][1], hooks.received[0][0])
    said = [text for (text,) in Entry.objects.values_list("body")]
    assert not [text for text in said if secret.removeprefix("whsec_") in text]
    subscription.refresh_from_db()
    assert secret not in subscription.secret
    assert Position.objects.get().cursor.startswith("1.")


@pytest.mark.django_db
def test_for_the_overlap_both_secrets_verify_and_then_the_new_one_only(
    hooks: Receiver, administrator: User
) -> None:
    now = timezone.now()
    subscription, old = _subscribed(hooks, administrator, at=now)
    new = subscriptions.rotate(
        subscription, actor=administrator, at=now, reason="the yearly renewal of secrets",
        overlap=timedelta(hours=1),
    )  # fmt: skip

    deliveries.attempt(_message(subscription), at=timezone.now())

    headers, body = hooks.received[0]
    for secret in (old, new):
        Webhook(secret).verify(body, headers)
    subscription.refresh_from_db()
    assert len(subscriptions.secrets_of(subscription, at=now + timedelta(hours=1))) == 1
    assert subscriptions.secrets_of(subscription, at=now + timedelta(hours=1)) == [new]


@pytest.mark.django_db
def test_ed25519_is_verified_with_the_public_key(hooks: Receiver, administrator: User) -> None:
    subscription, shown = _subscribed(hooks, administrator, scheme=Scheme.ED25519)
    deliveries.attempt(_message(subscription), at=timezone.now())

    headers, body = hooks.received[0]
    version, signature = headers["webhook-signature"].split(",")
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(shown.removeprefix("whpk_")))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    assert version == "v1a"
    key.verify(base64.b64decode(signature), signed)
    with pytest.raises(InvalidSignature):
        key.verify(base64.b64decode(signature), signed + b" ")
    assert subscriptions.verifies_with(subscription) == shown


def test_our_signature_is_that_of_the_library() -> None:
    secret, at = webhook_signatures.new_secret(), datetime(2026, 3, 2, 12, tzinfo=UTC)

    ours = webhook_signatures.sign(
        secret, message_id="evt_1", timestamp=int(at.timestamp()), body="{µ}".encode()
    )

    assert ours == Webhook(secret).sign("evt_1", at, "{µ}")


@pytest.mark.django_db
def test_a_message_is_tried_again_ever_later_for_seven_days_then_given_up_aloud(
    hooks: Receiver, administrator: User
) -> None:
    hooks.answer = 500
    subscription, _ = _subscribed(hooks, administrator)
    delivery = _message(subscription, at=NOON)

    moments = [NOON]
    while True:
        delivery = deliveries.attempt(delivery, at=moments[-1])
        if delivery.state != DeliveryState.WAITING:
            break
        assert delivery.next_try_at is not None
        assert deliveries.attempt(delivery, at=moments[-1]).attempt_count == len(moments)
        moments.append(delivery.next_try_at)

    waits = [later - earlier for earlier, later in pairwise(moments)]
    assert waits[0] < timedelta(seconds=6)
    assert max(waits) <= deliveries.LONGEST_WAIT * 1.1
    assert all(later > earlier for earlier, later in pairwise(waits[:8]))
    assert timedelta(days=6) < moments[-1] - NOON <= timedelta(days=7)
    assert delivery.state == DeliveryState.EXHAUSTED
    assert len(hooks.received) == len(moments) == delivery.attempts.count()
    assert len({headers["webhook-id"] for headers, _ in hooks.received}) == 1
    subscription.refresh_from_db()
    assert not subscription.is_active
    assert "500" in subscription.why_inactive
    alarm = SecurityAlarm.objects.get(kind=AlarmKind.WEBHOOK_STOPPED)
    assert "lims" in alarm.text


@pytest.mark.django_db
def test_a_receiver_that_is_gone_is_not_tried_again(hooks: Receiver, administrator: User) -> None:
    hooks.answer = 410
    subscription, _ = _subscribed(hooks, administrator)

    delivery = deliveries.attempt(_message(subscription), at=timezone.now())

    subscription.refresh_from_db()
    assert (delivery.state, subscription.is_active) == (DeliveryState.EXHAUSTED, False)


@pytest.mark.django_db
def test_a_person_sends_a_message_again_and_a_stopped_subscription_goes_on(
    hooks: Receiver, administrator: User
) -> None:
    hooks.answer = 410
    subscription, secret = _subscribed(hooks, administrator)
    delivery = deliveries.attempt(_message(subscription), at=timezone.now())
    hooks.answer = 200
    now = timezone.now()

    with pytest.raises(NotPermitted):
        deliveries.replay(
            delivery, actor=factories.person(Role.OPERATOR), at=now, reason="once more, please"
        )
    deliveries.replay(delivery, actor=administrator, at=now, reason="the receiver is there again")
    assert not deliveries.due(at=now).exists()  # its subscription is stopped
    subscriptions.resume(
        subscription, actor=administrator, at=now, reason="the receiver is there again"
    )
    again = deliveries.attempt(deliveries.due(at=now).get(), at=now)

    assert again.state == DeliveryState.DELIVERED
    assert Replay.objects.get().reason == "the receiver is there again"
    Webhook(secret).verify(hooks.received[1][1], hooks.received[1][0])
    assert [one.status for one in again.attempts.order_by("number")] == [410, 200]


def _redirect(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(307)
    handler.send_header("Location", "http://127.0.0.1:1/")
    handler.end_headers()


def _endless(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    try:
        for _ in range(2000):
            handler.wfile.write(b"x" * 1024)
    except OSError:
        return


def _drip(handler: BaseHTTPRequestHandler) -> None:
    try:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        for _ in range(100):
            handler.wfile.write(b"X-Slow: 1\r\n")
            handler.wfile.flush()
            time.sleep(0.1)
    except OSError:
        return


def test_a_redirect_is_not_followed(hooks: Receiver) -> None:
    hooks.answer = _redirect

    answer = webhook_sending.post(hooks.url, body=b"{}", headers={})

    assert (answer.status, answer.is_success) == (307, False)


def test_a_long_answer_is_read_to_its_limit(hooks: Receiver) -> None:
    hooks.answer = _endless

    answer = webhook_sending.post(hooks.url, body=b"{}", headers={})

    assert answer.status == 200
    assert len(answer.text) <= 300


def test_a_receiver_that_answers_a_byte_now_and_then_is_cut_off(
    hooks: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook_sending, "TOTAL_S", 0.4)
    hooks.answer = _drip

    answer = webhook_sending.post(hooks.url, body=b"{}", headers={})

    assert answer.status is None
    assert answer.took_ms < 5000


@pytest.mark.parametrize(
    "url",
    ["http://example.com/", "ftp://example.com/", "https://user:x@example.com/", "https:///x",
     "https://example.com/#x", "https://example.com:99999/", "https://exa mple.com/",
     "https://example.com/ü", "file:///etc/passwd", "https://127.0.0.1/", "https://[::1]/",
     "https://10.0.0.1/", "https://169.254.169.254/latest", "https://[::ffff:127.0.0.1]/",
     "https://0.0.0.0/", "https://2130706433/", "https://[fe80::1]/", "https://localhost/",
     "https://100.64.0.1/", "https://224.0.0.1/", "https://[64:ff9b::7f00:1]/",
     "https://[2002:7f00:1::]/"],
)  # fmt: skip
def test_no_message_goes_to_an_address_inside_or_to_none(url: str) -> None:
    with pytest.raises(webhook_addresses.AddressRefused):
        webhook_addresses.resolve(webhook_addresses.parse(url))
    assert webhook_sending.post(url, body=b"{}", headers={}).status is None


@pytest.mark.parametrize("address", ["8.8.8.8", "2001:4860:4860::8888", "::ffff:8.8.8.8"])
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert webhook_addresses.is_public(address)


@pytest.mark.django_db
def test_where_a_subscription_goes_is_not_altered(hooks: Receiver, administrator: User) -> None:
    _subscribed(hooks, administrator)

    with pytest.raises(DatabaseError, match="is not altered"), factories.acting("forged"):
        with connection.cursor() as cursor:
            cursor.execute("UPDATE exchange_subscription SET url = 'https://example.com/'")


@pytest.mark.django_db
def test_the_sweep_has_each_receiver_served_in_order_by_one_worker(
    hooks: Receiver, administrator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    subscription, _ = _subscribed(hooks, administrator, at=timezone.now())
    for number in (1, 2, 3):
        _message(subscription, number=number)
    queued: list[int] = []
    monkeypatch.setattr(
        tasks.deliver_messages, "delay", lambda *, subscription_id: queued.append(subscription_id)
    )

    assert tasks.announce_changes() == 1
    Position.objects.update(busy_until=timezone.now() + timedelta(seconds=9))
    assert tasks.deliver_messages(subscription_id=queued[0]) == 0
    Position.objects.update(busy_until=timezone.now() - timedelta(seconds=1))  # it died
    assert tasks.deliver_messages(subscription_id=queued[0]) == 3

    sent = [headers["webhook-id"] for headers, _ in hooks.received]
    assert sent == ["evt_1.1", "evt_1.2", "evt_1.3"]
    assert Position.objects.get().busy_until is None


@pytest.mark.django_db
def test_a_receiver_that_is_away_is_asked_once_a_sweep(
    hooks: Receiver, administrator: User
) -> None:
    hooks.answer = 503
    subscription, _ = _subscribed(hooks, administrator, at=timezone.now())
    for number in (1, 2, 3):
        _message(subscription, number=number)

    assert deliveries.deliver_due(subscription.pk, clock=timezone.now) == 1
    assert len(hooks.received) == 1


@pytest.mark.django_db
def test_an_administrator_does_all_of_it_over_the_api_and_on_the_pages(
    hooks: Receiver, administrator: User
) -> None:
    client = Client()
    client.force_login(administrator)

    def post(path: str, body: dict[str, Any], expected: int = 201) -> Any:
        answer = client.post(f"/api/v1/{path}", body, content_type="application/json",
                             headers={"Idempotency-Key": f"k-{path}"})  # fmt: skip
        assert answer.status_code == expected, answer.content
        return answer.json()

    device = factories.device()
    said = {"name": "mes", "url": hooks.url, "device": device.name, "reason": WHY}
    secret = post("webhooks", said)["verifies_with"]
    post("webhooks", said, 409)
    renewed = post("webhooks/mes/secrets", {"reason": "the yearly renewal of secrets"})
    delivery = deliveries.attempt(_message(Subscription.objects.get()), at=timezone.now())
    post(f"deliveries/{delivery.pk}/replays", {"reason": "the receiver lost it"})
    deliveries.attempt(delivery, at=timezone.now())
    post("webhooks/mes/states", {"is_active": False, "reason": "the MES is taken down"})

    for one in (secret, renewed["verifies_with"]):
        Webhook(one).verify(hooks.received[1][1], hooks.received[1][0])
    listed = client.get("/api/v1/webhooks/mes/deliveries").json()["results"]
    assert [one["state"] for one in listed] == ["delivered"]
    assert [one["status"] for one in listed[0]["attempts"]] == [204, 204]
    assert secret not in json.dumps(client.get("/api/v1/webhooks").json())

    page = client.get(f"/admin/exchange/delivery/{delivery.pk}/change/").content.decode()
    for shown in ("Delivered", "204", "the receiver lost it", "evt_1.1"):
        assert shown in page
    lists = ("delivery", "subscription", "source", "sourcerecord", "gap", "receipt")
    for name in lists:
        assert client.get(f"/admin/exchange/{name}/").status_code == 200
    subscription = Subscription.objects.get()
    page = client.get(f"/admin/exchange/subscription/{subscription.pk}/change/").content.decode()
    assert "the MES is taken down" in page
    form = client.get("/admin/exchange/subscription/acts/subscribe/")
    assert form.status_code == 200
