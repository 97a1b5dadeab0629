"""A bulk run is asked for, watched, cancelled and read over the API and on its pages."""

from typing import Any

import pytest
from django.test import Client

from batches.execution.models import Batch
from compliance.access.duties import Role
from compliance.access.models import User
from tests import factories
from tests.twins.predictions.conftest import Culture
from twins.bulk import running, tasks
from twins.bulk.models import BulkRun

pytestmark = pytest.mark.django_db
WHY = "what would happen under another feed"


@pytest.fixture
def batch(culture: Culture) -> Batch:
    return culture(until_h=30.0, every_h=6.0)


@pytest.fixture
def engineer(client: Client, db: None) -> User:
    person = factories.person(Role.PROCESS_ENGINEER)
    client.force_login(person)
    return person


@pytest.fixture(autouse=True)
def without_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page load never waits for a broker: the sweep queues what could not be."""
    monkeypatch.setattr(tasks, "call", _no_broker)


def _no_broker(*_: object) -> int:
    raise tasks.BrokerUnavailable("no broker in this test")


def post(client: Client, path: str, said: dict[str, Any], *, status: int) -> Any:
    answer = client.post(f"/api/v1/{path}", said, content_type="application/json")
    assert answer.status_code == status, answer.content
    return answer.json()


def futures(batch: Batch, **more: object) -> dict[str, Any]:
    asked = {"batch": batch.number, "as_of": "2026-03-03T18:00:00Z", "members": 50, **more}
    return {"futures": asked, "reason": WHY}


def test_futures_are_asked_for_watched_and_read(
    client: Client, engineer: User, batch: Batch
) -> None:
    feed = [{"start_h": "36", "rate_l_per_h": "0.2"}]

    number = post(client, "bulk-runs", futures(batch, feed=feed), status=202)["number"]
    before = client.get(f"/api/v1/bulk-runs/{number}/progress").json()
    unfinished = client.get(f"/api/v1/bulk-runs/{number}/result")
    running.go_on(BulkRun.objects.get(number=number))
    read = client.get(f"/api/v1/bulk-runs/{number}").json()
    result = client.get(f"/api/v1/bulk-runs/{number}/result")

    assert before == {"waiting": 1, "claimed": 0, "done": 0, "failed": 0, "cancelled": 0}
    assert unfinished.status_code == 404
    assert (read["state"], read["requested_by"]) == ("done", engineer.username)
    assert result["ETag"] == f'"{read["result_digest"]}"'
    assert result.json()["members"] == 50
    (part,) = client.get(f"/api/v1/bulk-runs/{number}/parts").json()["results"]
    assert (part["state"], part["attempts"]) == ("done", 1)
    assert client.get("/api/v1/bulk-runs").json()["count"] == 1


def test_a_run_is_cancelled_with_a_reason(client: Client, engineer: User, batch: Batch) -> None:
    said = {"predictions": {"batches": [batch.number]}, "reason": WHY}
    number = post(client, "bulk-runs", said, status=202)["number"]

    post(client, f"bulk-runs/{number}/cancellation", {"reason": "x"}, status=422)
    cancelled = post(client, f"bulk-runs/{number}/cancellation", {"reason": WHY}, status=201)
    again = post(client, f"bulk-runs/{number}/retry", {"reason": WHY}, status=409)

    assert cancelled["state"] == "cancelled"
    assert again["type"] == "/problems/bulk-run-ended"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"predictions": {"batches": ["B-none"]}, "reason": WHY}, "bulk-batch-unknown"),
        ({"reason": WHY}, "invalid"),
    ],
)
def test_what_cannot_be_run_is_refused(
    client: Client, engineer: User, said: dict[str, Any], code: str
) -> None:
    assert post(client, "bulk-runs", said, status=422)["type"] == f"/problems/{code}"


def test_whoever_may_not_is_refused(client: Client, batch: Batch) -> None:
    client.force_login(factories.person(Role.OPERATOR))

    refused = post(client, "bulk-runs", futures(batch), status=403)

    assert refused["type"] == "/problems/not-permitted"


def test_its_pages_ask_show_and_cancel(client: Client, engineer: User, batch: Batch) -> None:
    url = "/admin/bulk/bulkrun/"
    form = {"batch": batch.number, "as_of": "2026-03-03T18:00:00Z", "members": "50", "reason": WHY}

    client.post(f"{url}acts/ask-futures/", form)
    client.post(f"{url}acts/ask-predictions/", {"batches": batch.number, "reason": WHY})
    first, second = BulkRun.objects.order_by("pk")
    running.go_on(first)
    done = client.get(f"{url}{first.pk}/change/").content.decode()
    client.post(f"{url}{second.pk}/acts/cancel/", {"reason": WHY})
    cancelled = client.get(f"{url}{second.pk}/change/").content.decode()
    listed = client.get(url).content.decode()

    assert "What the futures say" in done
    assert "glucose_mmol_l" in done
    assert "Cancelled by" in cancelled
    assert "1 of 1" in listed
    assert "0 of 1" in listed
