"""Explanations go over the API, have their pages, and stand in deviations and batch reports."""

import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from batches.execution.models import Batch
from compliance.access.duties import Role
from compliance.quality.models import Severity
from compliance.reports.document import Chart, Facts, Table
from tests import factories
from tests.twins.explanations.conftest import ALARMED_H, AT, LATER, LATER_H, goes_on, predicted
from tests.twins.predictions.watched_batches import at
from twins.explanations import receivers, report_section, requests, runs, tasks
from twins.explanations.models import Explanation
from twins.predictions import alerts
from twins.predictions import tasks as prediction_tasks
from twins.predictions.models import Alert

pytestmark = pytest.mark.django_db
REASON = "the feed pump runs at half its speed"
Post = Callable[..., Any]


@pytest.fixture
def in_time(monkeypatch: pytest.MonkeyPatch) -> datetime:
    """Let the clock of the edge stand shortly after the newest rows."""
    monkeypatch.setattr(timezone, "now", lambda: LATER)
    return LATER


@pytest.fixture
def signed_in(client: Client) -> Client:
    client.force_login(factories.person(Role.PROCESS_ENGINEER))
    return client


def _post(client: Client, path: str, *, status: int) -> Any:
    answer = client.post(f"/api/v1/{path}", "", content_type="application/json")
    assert answer.status_code == status, answer.content
    return answer.json()


def _get(client: Client, path: str) -> Any:
    answer = client.get(f"/api/v1/{path}")
    assert answer.status_code == 200, answer.content
    return answer.json()


# --- Over the API


def test_explanations_are_listed_and_read(explanation: Explanation, signed_in: Client) -> None:
    alert = explanation.alert

    shown = _get(signed_in, f"explanations/{explanation.pk}")
    asked = signed_in.get(f"/api/v1/explanations/{explanation.pk}/input")

    for chosen in (f"alert={alert.pk}", f"batch={alert.batch.number}", "state=explained", ""):
        listed = _get(signed_in, f"explanations?{chosen}")["results"]
        assert [one["id"] for one in listed] == [explanation.pk], chosen
    for chosen in (f"alert={alert.pk + 1}", f"batch={factories.batch().number}", "state=requested"):
        assert _get(signed_in, f"explanations?{chosen}")["results"] == []
    assert shown["likeliest"] == "sugar feed delivers less"
    assert shown["rows_digest"] == alert.prediction.input_digest
    assert shown["answer"]["likeliest"] == "sugar-less"
    assert shown["is_trial"]
    assert asked["ETag"] == f'"{explanation.input_digest}"'
    assert asked.content == explanation.input.encode()


@pytest.mark.parametrize("asked", ["state=lost", "alert=x", "alert=0", "alert=-1", "alert=1e30"])
def test_a_filter_that_says_nothing_is_refused(signed_in: Client, asked: str) -> None:
    assert signed_in.get(f"/api/v1/explanations?{asked}").status_code == 422


@pytest.mark.usefixtures("once", "in_time", "at_once")
def test_a_person_asks_again_once_there_are_newer_rows(
    explanation: Explanation, signed_in: Client, django_capture_on_commit_callbacks: Any
) -> None:
    alert = explanation.alert
    refused = _post(signed_in, f"alerts/{alert.pk}/explanations", status=409)
    goes_on(alert.batch, after_h=ALARMED_H, until_h=LATER_H)
    predicted(alert.batch, LATER_H)

    with django_capture_on_commit_callbacks(execute=True):
        asked = _post(signed_in, f"alerts/{alert.pk}/explanations", status=202)

    assert refused["type"].endswith("/explanation-current")
    assert asked["state"] == "requested"
    assert _get(signed_in, f"explanations/{asked['id']}")["state"] == "explained"
    assert _get(signed_in, f"explanations/{asked['id']}")["as_of"] != _get(
        signed_in, f"explanations/{explanation.pk}"
    )["as_of"]  # fmt: skip


@pytest.mark.usefixtures("once", "in_time")
def test_the_same_request_sent_twice_is_one_request(
    explanation: Explanation, signed_in: Client
) -> None:
    alert = explanation.alert
    goes_on(alert.batch, after_h=ALARMED_H, until_h=LATER_H)
    predicted(alert.batch, LATER_H)

    answers = [
        signed_in.post(
            f"/api/v1/alerts/{alert.pk}/explanations", "", content_type="application/json",
            headers={"Idempotency-Key": "the-key-of-one-request"},
        )
        for _ in range(2)
    ]  # fmt: skip

    assert [one.status_code for one in answers] == [202, 202]
    assert answers[0].json()["id"] == answers[1].json()["id"]
    assert alert.explanations.count() == 2


def test_a_request_without_a_key_is_refused(alert: Alert, signed_in: Client) -> None:
    plain = Client()
    plain.force_login(factories.person(Role.PROCESS_ENGINEER))

    answer = plain.post(f"/api/v1/alerts/{alert.pk}/explanations", "", "application/json")

    assert answer.status_code in {400, 428}
    assert not Explanation.objects.exists()


def test_whoever_only_reads_does_not_ask(explanation: Explanation, client: Client) -> None:
    client.force_login(factories.person(Role.AUDITOR))

    assert _get(client, f"explanations/{explanation.pk}")["id"] == explanation.pk
    _post(client, f"alerts/{explanation.alert_id}/explanations", status=403)


def test_a_device_and_a_stranger_read_nothing(explanation: Explanation) -> None:
    _, token = factories.device_and_token()
    device = Client(headers={"Authorization": f"Bearer {token}"})

    for path in ("explanations", f"explanations/{explanation.pk}"):
        assert device.get(f"/api/v1/{path}").status_code == 403, path
        assert Client().get(f"/api/v1/{path}").status_code == 401, path


# --- In workers


def test_the_task_of_a_prediction_brings_the_explanation_of_its_alert(
    starved: Batch, once: None, at_once: None
) -> None:
    prediction_tasks.predict(batch_id=starved.pk, as_of=at(ALARMED_H).isoformat())

    alert = Alert.objects.get()
    explanation = alert.explanations.get()
    assert explanation.state == "explained"
    assert tasks.explain_alert(alert_id=alert.pk) is None
    assert tasks.explain(explanation_id=explanation.pk) is None
    assert alert.explanations.count() == 1


@pytest.mark.usefixtures("once", "at_once")
def test_the_sweep_brings_what_the_broker_lost_once(alert: Alert) -> None:
    assert tasks.look_after_explanations() == 1
    assert tasks.look_after_explanations() == 0

    assert alert.explanations.get().state == "explained"


@pytest.mark.usefixtures("once", "at_once")
def test_the_sweep_takes_over_from_a_worker_that_died(alert: Alert) -> None:
    explanation = requests.for_alert(alert, at=AT)
    assert requests.ROOM.claim(explanation, at=AT)  # long ago, by the clock of the sweep

    assert tasks.look_after_explanations() == 1

    explanation.refresh_from_db()
    assert (explanation.state, explanation.attempts) == ("explained", 2)


def test_an_alert_that_cannot_be_explained_is_not_queued(
    alert: Alert, monkeypatch: pytest.MonkeyPatch, at_once: None
) -> None:
    monkeypatch.setattr("twins.predictions.explainable.TWINS", frozenset())

    receivers.on_alert(alert.pk)

    assert not Explanation.objects.exists()


def test_pages_and_api_do_not_load_what_explains() -> None:
    code = (
        "import os, sys, django; os.environ['DJANGO_SETTINGS_MODULE'] = 'config.settings'; "
        "django.setup(); import config.urls, config.api_urls; "
        "from django.contrib import admin; admin.autodiscover(); "
        "assert 'twins.explanations.api' in sys.modules; "
        "assert 'twins.explanations.admin' in sys.modules; "
        "print([one for one in sys.modules if one.startswith("
        "('twins.explanations.answers', 'twins.explanations.runs'))])"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert done.stdout.strip() == "[]", done.stdout + done.stderr


# --- On pages


def test_the_page_of_an_alert_says_what_it_may_be(
    explanation: Explanation, signed_in: Client
) -> None:
    alert = explanation.alert
    page = signed_in.get(f"/admin/predictions/alert/{alert.pk}/change/").content.decode()

    assert "sugar feed delivers less (process)" in page
    assert "the process, not a probe" in page
    assert "for 10 of 11 at the end" in page
    assert "a person decides" in page
    assert page.index("What it may be") < page.index("Forecast")
    assert f"/alert/{alert.pk}/acts/explain/" in page
    assert f"/alert/{alert.pk}/acts/advise/" not in page  # its twin gives none
    asked = signed_in.post(f"/admin/predictions/alert/{alert.pk}/acts/explain/", {}, follow=True)
    assert "is of the newest rows" in asked.content.decode()


def test_its_own_page_shows_weights_signs_and_the_product(
    explanation: Explanation, signed_in: Client
) -> None:
    address = f"/admin/explanations/explanation/{explanation.pk}"
    page = signed_in.get(f"{address}/change/").content.decode()
    drawn = signed_in.get(f"{address}/pictures/product/sugar-less.svg")
    none = signed_in.get(f"{address}/pictures/product/oxygen-probe.svg")

    assert "All 17 hypotheses with their priors" in page
    assert "sugar feed against the recipe" in page
    assert "Trial: version not qualified" in page
    assert f"manage.py replay --of explanation {explanation.pk}" in page
    assert b"without it" in drawn.content
    assert none.status_code == 404
    assert str(explanation) in signed_in.get("/admin/explanations/explanation/").content.decode()


def test_an_older_one_says_that_there_is_one_of_newer_rows(
    newer: Explanation, explanation: Explanation, signed_in: Client
) -> None:
    page = signed_in.get(f"/admin/explanations/explanation/{explanation.pk}/change/")

    assert f"There is one of newer rows: {newer}" in page.content.decode()


def test_before_a_worker_came_and_for_other_twins_the_page_says_why(
    alert: Alert, signed_in: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"/admin/predictions/alert/{alert.pk}/change/"
    assert "A worker has not explained it yet" in signed_in.get(address).content.decode()

    monkeypatch.setattr("twins.predictions.explainable.TWINS", frozenset({"another-batch@1"}))

    page = signed_in.get(address).content.decode()
    assert "It is not explained: what is usual of each sign" in page
    assert "acts/explain/" not in page


def test_one_that_could_not_be_explained_has_its_code_on_its_page(
    alert: Alert, signed_in: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ArithmeticError("no number")

    monkeypatch.setattr(runs, "answer", broken)
    made = runs.explain(requests.for_alert(alert, at=AT), at=AT)
    assert made is not None

    page = signed_in.get(f"/admin/explanations/explanation/{made.pk}/change/").content.decode()

    assert (made.state, made.refusal) == ("not-explained", "explanation-broken")
    assert f"log has it as explanation {made.pk} (explanation-broken)" in page
    assert "ArithmeticError" not in page


# --- In deviations and reports


def _accepted(alert: Alert) -> Alert:
    return alerts.answer(
        alert, accept=True, reason=REASON, severity=Severity.MAJOR,
        actor=factories.person(Role.PROCESS_ENGINEER), at=AT,
    )  # fmt: skip


@pytest.mark.requirement("A22-3")
def test_the_deviation_of_an_accepted_alert_quotes_it(
    explanation: Explanation, signed_in: Client
) -> None:
    deviation = _accepted(explanation.alert).deviation
    assert deviation is not None

    assert f"Explanation {explanation.pk} of the twin" in deviation.description
    assert "Likeliest: sugar feed delivers less" in deviation.description
    assert "the product lost, with its share and 90 % intervals" in deviation.description
    assert "for 10 of 11 at the end" in deviation.description
    assert explanation.output_digest in deviation.description
    assert "a person decides" in deviation.description
    assert deviation.description.endswith(f"Accepted because: {REASON}")
    page = signed_in.get(f"/admin/quality/deviation/{deviation.pk}/change/").content.decode()
    assert f"/admin/explanations/explanation/{explanation.pk}/change/" in page


@pytest.mark.usefixtures("once", "at_once")
def test_an_alert_that_was_answered_first_is_explained_all_the_same(
    alert: Alert, signed_in: Client
) -> None:
    deviation = _accepted(alert).deviation
    assert deviation is not None
    assert "there was no explanation of it yet" in deviation.description

    assert tasks.look_after_explanations() == 1

    explanation = alert.explanations.get()
    assert explanation.state == "explained"
    page = signed_in.get(f"/admin/quality/deviation/{deviation.pk}/change/").content.decode()
    assert str(explanation) in page


def test_a_rejected_alert_is_not_explained_by_itself(alert: Alert, at_once: None) -> None:
    alerts.answer(
        alert, accept=False, reason="the batch was sampled through this port",
        actor=factories.person(Role.PROCESS_ENGINEER), at=AT,
    )  # fmt: skip

    assert tasks.look_after_explanations() == 0


def test_the_batch_report_has_it(newer: Explanation, explanation: Explanation) -> None:
    blocks = report_section.write(explanation.alert.batch)

    facts = [fact.value for block in blocks if isinstance(block, Facts) for fact in block.facts]
    assert {explanation.output_digest, newer.output_digest} <= {str(one) for one in facts}
    cells = [
        str(cell)
        for block in blocks
        if isinstance(block, Table)
        for row in block.rows
        for cell in row
    ]
    assert "sugar feed delivers less" in cells
    assert any(isinstance(block, Chart) for block in blocks)


def test_a_batch_without_explanations_has_no_section(starved: Batch) -> None:
    assert report_section.write(starved) == []
