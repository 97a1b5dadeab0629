"""Proposals go over the API and have their pages."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from batches.recipes.models import MasterRecipe
from compliance.access.duties import Role
from tests import factories
from tests.twins.advice.conftest import AS_OF_H, FAULT, SEED, predicted
from tests.twins.hub.conftest import Walk
from tests.twins.predictions.conftest import make_culture, moment
from twins.advice import requests, tasks
from twins.advice.models import Proposal
from twins.hub import life
from twins.predictions import tasks as prediction_tasks
from twins.predictions.models import Alert

pytestmark = pytest.mark.django_db
REASON = "as the process engineer asks"
Post = Callable[..., Any]


@pytest.fixture
def in_time(monkeypatch: pytest.MonkeyPatch) -> datetime:
    """Let the clock of the edge stand shortly after the advice: a proposal expires."""
    now = moment(AS_OF_H + 0.5)
    monkeypatch.setattr(timezone, "now", lambda: now)
    return now


@pytest.fixture
def signed_in(client: Client) -> Client:
    client.force_login(factories.person(Role.PROCESS_ENGINEER))
    return client


def _post(client: Client, path: str, said: object = None, *, status: int = 201) -> Any:
    answer = client.post(f"/api/v1/{path}", said or "", content_type="application/json")
    assert answer.status_code == status, answer.content
    return answer.json()


def test_a_proposal_is_read_and_answered(
    proposal: Proposal, in_time: datetime, signed_in: Client
) -> None:
    listed = signed_in.get("/api/v1/proposals?state=open").json()["results"]
    shown = signed_in.get(f"/api/v1/proposals/{proposal.pk}").json()
    asked = signed_in.get(f"/api/v1/proposals/{proposal.pk}/input")

    assert [one["id"] for one in listed] == [proposal.pk]
    for alert, found in ((proposal.alert_id, 1), (proposal.alert_id + 1, 0)):
        assert signed_in.get(f"/api/v1/proposals?alert={alert}").json()["count"] == found
    assert shown["advice"]["outcome"] == shown["outcome"] == "move"
    assert shown["batch"] == proposal.alert.batch.number
    assert shown["comparison"] is None
    assert asked["ETag"] == f'"{proposal.input_digest}"'
    assert asked.content == proposal.input.encode()

    said = {"accept": True, "reason": REASON}
    done = _post(signed_in, f"proposals/{proposal.pk}/answer", said)
    second = _post(signed_in, f"proposals/{proposal.pk}/answer", said, status=409)

    assert (done["state"], done["answer_reason"]) == ("accepted", REASON)
    assert second["type"].endswith("/proposal-answered")


def test_a_list_of_an_unknown_state_is_refused(signed_in: Client) -> None:
    assert signed_in.get("/api/v1/proposals?state=lost").status_code == 422


def test_an_answer_without_its_version_is_refused(proposal: Proposal, in_time: datetime) -> None:
    plain = Client()
    plain.force_login(factories.person(Role.PROCESS_ENGINEER))

    answer = plain.post(
        f"/api/v1/proposals/{proposal.pk}/answer", {"accept": True, "reason": REASON},
        content_type="application/json", headers={"Idempotency-Key": "a-key-of-a-test"},
    )  # fmt: skip

    assert answer.status_code == 428


@pytest.mark.usefixtures("once", "in_time", "at_once")
def test_a_person_asks_for_newer_advice(
    proposal: Proposal, signed_in: Client, django_capture_on_commit_callbacks: Any
) -> None:
    _post(signed_in, f"alerts/{proposal.alert_id}/proposals", status=409)
    predicted(proposal.alert.batch, as_of_h=AS_OF_H + 6.0)

    with django_capture_on_commit_callbacks(execute=True):
        asked = _post(signed_in, f"alerts/{proposal.alert_id}/proposals", status=202)

    assert asked["state"] == "requested"
    shown = signed_in.get(f"/api/v1/proposals/{asked['id']}").json()
    assert shown["state"] == "open"
    assert signed_in.get(f"/api/v1/proposals/{proposal.pk}").json()["superseded_by"] == asked["id"]


def test_the_task_of_a_prediction_brings_advice_on_its_alert(
    recipe: MasterRecipe, once: None, at_once: None
) -> None:
    batch = make_culture(recipe, until_h=AS_OF_H, seed=SEED, fault=FAULT)

    prediction_tasks.predict(batch_id=batch.pk, as_of=moment(AS_OF_H).isoformat())

    alert = Alert.objects.get(tag="glucose_mmol_l")
    assert alert.proposals.count() == 1
    assert tasks.propose(alert_id=alert.pk) is None
    assert alert.proposals.count() == 1


def test_the_sweep_brings_what_the_broker_lost(alert: Alert, once: None, at_once: None) -> None:
    assert tasks.look_after_proposals() == 1
    assert tasks.look_after_proposals() == 0

    assert alert.proposals.count() == 1


def test_the_sweep_leaves_alerts_of_a_retired_version_alone(
    alert: Alert, qualified: Walk, once: None, at_once: None
) -> None:
    """They would take the places of those on which there can be advice, at each sweep anew."""
    assert requests.without(at_most=8) == [alert]
    confirmed = factories.confirmed(qualified.quality, at=qualified.now())
    life.retire(qualified.version, confirmed=confirmed, reason="its successor is qualified")

    assert requests.without(at_most=8) == []
    assert tasks.look_after_proposals() == 0
    assert not alert.proposals.exists()


def test_its_page_shows_both_futures_and_takes_the_answer(
    proposal: Proposal, in_time: datetime, signed_in: Client
) -> None:
    address = f"/admin/advice/proposal/{proposal.pk}/"

    page = signed_in.get(f"{address}change/").content.decode()
    futures = signed_in.get(f"{address}pictures/futures/all.svg")
    feeds = signed_in.get(f"{address}pictures/feeds/all.svg")

    assert "Last safe moment" in page
    assert "proven acceptable range of feed_rate_l_per_h" in page
    assert f"{address}acts/accept/" in page
    assert b"with the move: median" in futures.content
    assert b"as is: median" in futures.content
    assert b"proposed" in feeds.content
    answered = signed_in.post(f"{address}acts/reject/", {"reason": REASON}, follow=True)
    assert "your reason stays with it" in answered.content.decode()
    proposal.refresh_from_db()
    assert proposal.state == "rejected"


def test_the_pages_of_alert_and_batch_name_it(proposal: Proposal, signed_in: Client) -> None:
    alert = proposal.alert
    for address in (
        f"/admin/predictions/alert/{alert.pk}/change/",
        f"/admin/execution/batch/{alert.batch_id}/change/",
        "/admin/advice/proposal/",
    ):
        assert str(proposal) in signed_in.get(address).content.decode(), address


def test_the_page_of_an_alert_offers_advice_where_the_recipe_asks_for_it(
    proposal: Proposal, signed_in: Client
) -> None:
    alert = proposal.alert
    page = signed_in.get(f"/admin/predictions/alert/{alert.pk}/change/").content.decode()

    assert f"/alert/{alert.pk}/acts/advise/" in page
