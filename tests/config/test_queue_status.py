"""It is seen what waits in each queue, since when, who is at it, and when a queue is stuck."""

import socket
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from kombu import Queue

from batches.execution.models import Batch
from compliance.access.duties import Role
from compliance.inspection import inspections
from compliance.inspection.models import Inspection, InspectionState, Profile
from compliance.reports import requests
from config import broker, celery_app, queue_status, queue_work, queues
from config.embedded import lease, valkey
from config.queue_status import QueueStatus
from config.queue_work import Work
from tests import factories
from tests.twins.predictions.conftest import LATER, make_culture, make_recipe, moment
from twins.bulk import asking, parts, running
from twins.bulk.models import BulkRun
from twins.hub import versions
from twins.predictions import claims, leases
from twins.predictions import runs as predictions

WHY = "a question of a test"


@pytest.fixture(autouse=True)
def _anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue_status, "_last", None)


@pytest.fixture
def embedded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    valkey.ensure_valkey(tmp_path)
    monkeypatch.setenv("CELERY_BROKER_URL", valkey.url(tmp_path))
    yield
    lease.release(valkey.service(tmp_path))
    valkey.service(tmp_path).stop()


@pytest.fixture
def unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CELERY_BROKER_URL", "redis://127.0.0.1:1/0")


@pytest.fixture
def on_schedule(db: None) -> None:
    """Let beat have sent every job just now."""
    PeriodicTask.objects.update(last_run_at=timezone.now())


@pytest.fixture
def batch(db: None) -> Batch:
    """Return a batch with five moments reached, all of them at `LATER`."""
    return make_culture(make_recipe(), until_h=30.0)


def send(queue: str, count: int) -> None:
    with celery_app.connection_for_write() as connection:
        producer = connection.Producer()
        for number in range(count):
            producer.publish({"n": number}, routing_key=queue, declare=[Queue(queue)])


def work(kind: str, *, at: datetime) -> Work:
    (found,) = (one for one in queue_work.of_all(at=at) if one.kind == kind)
    return found


def status(name: str, *, at: datetime) -> QueueStatus:
    (found,) = (one for one in queue_status.read(at=at) if one.name == name)
    return found


def asked_in_bulk(batch: Batch, *, at: datetime) -> BulkRun:
    engineer = factories.person(Role.PROCESS_ENGINEER)
    return asking.predictions([batch], actor=engineer, at=at, reason=WHY)


# --- The broker


def test_the_embedded_broker_says_how_many_messages_wait_in_each_queue(embedded: None) -> None:
    assert broker.depths() == dict.fromkeys(queues.ALL, 0)

    send(queues.BULK, 3)
    send(queues.INTERACTIVE, 1)

    assert broker.depths() == {queues.INTERACTIVE: 1, queues.SCHEDULED: 0, queues.BULK: 3}


@pytest.mark.parametrize("scheme", ["redis", "amqp"])
def test_a_broker_that_takes_the_call_and_says_nothing_is_waited_for_a_moment_only(
    scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        monkeypatch.setenv("CELERY_BROKER_URL", f"{scheme}://guest:guest@127.0.0.1:{port}//")
        began = time.monotonic()

        found = broker.depths(within_s=0.5)

        assert found is None
        assert time.monotonic() - began < 1.5
        # While the first one hangs no second one is begun, and it does not hang for ever.
        assert broker.depths(within_s=0.1) is None
        assert broker._turn.acquire(timeout=10)
        broker._turn.release()


@pytest.mark.django_db
def test_without_a_broker_the_records_are_shown_and_the_messages_are_unknown(
    client: Client, unreachable: None
) -> None:
    client.force_login(factories.person(Role.AUDITOR))
    began = time.monotonic()

    said = client.get("/api/v1/queues").json()
    page = client.get("/admin/queues/")

    assert time.monotonic() - began < 2 * broker.WITHIN_S + 2
    assert [one["name"] for one in said] == list(queues.ALL)
    assert {one["messages"] for one in said} == {None}
    assert {one["messages_said"] for one in said} == {"unknown: broker not reachable"}
    assert page.status_code == 200
    assert page.content.decode().count("unknown: broker not reachable") == 3


# --- The records


def test_predictions_are_due_since_the_readings_reached_their_moments(batch: Batch) -> None:
    found = work("predictions", at=LATER)

    assert (found.queue, found.due, found.oldest_due_at) == (queues.SCHEDULED, 5, LATER)
    assert (found.claimed, found.ran_out, found.refused) == (0, 0, 0)


def test_a_claim_says_its_worker_and_one_that_ran_out_is_due_again(batch: Batch) -> None:
    claims.claim(batch, as_of=moment(6), at=LATER)

    alive = work("predictions", at=LATER)
    dead = work("predictions", at=LATER + 2 * leases.STALE_AFTER)

    host, process = alive.claims[0].worker.split("/")
    assert host == socket.gethostname()[:60]
    assert process.isdigit()
    assert (alive.due, alive.claimed, alive.ran_out) == (4, 1, 0)
    assert (dead.due, dead.claimed, dead.ran_out) == (5, 1, 1)
    assert [one.has_run_out for one in dead.claims] == [True]


def test_what_was_predicted_is_not_due(batch: Batch) -> None:
    predictions.predict(batch, as_of=moment(6), at=LATER)

    assert work("predictions", at=LATER).due == 4


def test_moments_that_no_worker_can_predict_do_not_stick_a_queue(
    batch: Batch, on_schedule: None, unreachable: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(name: str) -> None:
        raise versions.TwinMissing(f"{name} was taken away")

    monkeypatch.setattr(versions, "installed", gone)

    found = work("predictions", at=LATER)

    assert (found.due, found.oldest_due_at, found.refused) == (0, None, 5)
    assert not status(queues.SCHEDULED, at=timezone.now()).is_stuck


def test_reports_and_inspections_wait_until_they_are_made(db: None) -> None:
    at = timezone.now()
    quality = factories.person(Role.QUALITY_ASSURANCE)
    batch = factories.completed_batch()
    inspections.request(profile=Profile.FDA, scope=[batch.number], actor=quality, at=at)
    requests.request(kind="batch-record", subject=batch.number, actor=quality, at=at)

    reports, asked = work("reports", at=at), work("inspections", at=at)
    with factories.acting():
        Inspection.objects.update(state=InspectionState.RUNNING, as_of=at)
    running_ = work("inspections", at=at)
    lost = work("inspections", at=at + 2 * inspections.LOST_AFTER)

    assert (reports.due, reports.oldest_due_at) == (1, at)
    assert (asked.due, asked.oldest_due_at, asked.claimed) == (1, at, 0)
    assert (running_.due, running_.claimed, running_.ran_out) == (0, 1, 0)
    assert (lost.due, lost.claimed, lost.ran_out) == (1, 1, 1)


def test_a_job_that_beat_did_not_send_is_due(db: None, on_schedule: None) -> None:
    now = timezone.now()
    assert work("jobs of the schedule", at=now + timedelta(minutes=4)).due == 0

    later = work("jobs of the schedule", at=now + timedelta(hours=30))

    enabled = PeriodicTask.objects.filter(enabled=True)
    assert later.due == enabled.count() > 10
    assert later.oldest_due_at is not None
    assert now < later.oldest_due_at < now + timedelta(seconds=30)


def test_parts_wait_since_the_last_sign_of_a_worker(batch: Batch) -> None:
    asked_at = LATER
    run = asked_in_bulk(batch, at=asked_at)
    second = asked_in_bulk(batch, at=asked_at)
    taken_at = asked_at + timedelta(hours=1)

    before = work("parts of bulk runs", at=asked_at)
    assert parts.claim_next(run, at=taken_at)
    after = work("parts of bulk runs", at=taken_at)

    assert (before.due, before.waits_since) == (2, asked_at)
    assert (after.due, after.claimed, after.oldest_due_at) == (1, 1, asked_at)
    assert after.waits_since == taken_at
    assert after.claims[0].what == f"{run} part 1"
    assert running.progress(second).waiting == 1


# --- Stuck


@pytest.mark.parametrize("name", [queues.SCHEDULED, queues.BULK])
def test_a_queue_is_stuck_when_the_oldest_waits_longer_than_its_bound(
    name: str, batch: Batch, on_schedule: None, unreachable: None
) -> None:
    PeriodicTask.objects.update(last_run_at=LATER)
    if name == queues.BULK:
        asked_in_bulk(batch, at=LATER)
    bound = queues.STUCK_AFTER[name]

    assert not status(name, at=LATER + bound).is_stuck
    PeriodicTask.objects.update(last_run_at=LATER + bound)
    late = status(name, at=LATER + bound + timedelta(seconds=1))

    assert late.is_stuck
    assert late.waits_since == LATER


def test_the_readiness_of_the_queues_names_the_stuck_one_and_asks_no_broker(
    client: Client, db: None, on_schedule: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(**_: Any) -> None:
        raise AssertionError("the broker was asked")

    monkeypatch.setattr(broker, "depths", never)
    assert client.get("/health/queues").json() == {"ready": True, "stuck": []}
    quality = factories.person(Role.QUALITY_ASSURANCE)
    batch = factories.completed_batch()
    long_ago = timezone.now() - 2 * queues.STUCK_AFTER[queues.INTERACTIVE]
    inspections.request(profile=Profile.FDA, scope=[batch.number], actor=quality, at=long_ago)

    lately = client.get("/health/queues")
    monkeypatch.setattr(queue_status, "_last", None)
    now = client.get("/health/queues")

    assert lately.status_code == 200  # what was found within the last seconds
    assert now.status_code == 503
    assert now.json() == {"ready": False, "stuck": ["interactive"]}
    assert client.get("/health").json() == {"ready": True}  # the web server is well
    client.force_login(quality)
    assert "interactive: are the workers up?" in client.get("/admin/").content.decode()


def test_the_liveness_looks_at_no_queue(
    client: Client, db: None, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(1):
        assert client.get("/health").status_code == 200


def test_more_batches_cost_the_readiness_no_more_queries(
    batch: Batch, on_schedule: None, django_assert_max_num_queries: Any
) -> None:
    for _ in range(3):
        make_culture(batch.recipe, until_h=7.0)

    with django_assert_max_num_queries(25):
        queue_status.stuck(at=LATER)
