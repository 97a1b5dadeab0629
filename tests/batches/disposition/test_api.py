"""The disposition over the API: review, decide, certify and ship, as people of their roles."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from batches.execution.models import EventKind
from compliance.access.duties import Role
from compliance.trail.models import Refusal
from tests import factories
from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db


def _as(client: Client, role: Role):  # type: ignore[no-untyped-def]
    client.force_login(factories.person(role))

    def ask(method: str, path: str, expected: int, **body: object):  # type: ignore[no-untyped-def]
        if method == "get":
            answer = client.get(f"/api/v1/{path}")
        else:
            answer = client.post(f"/api/v1/{path}", body, content_type="application/json")
        assert answer.status_code == expected, answer.content
        return answer.json() if "json" in answer["Content-Type"] else answer.content.decode()

    return ask


@pytest.mark.requirement("211-192", "A11-15", "P11-50a")
def test_a_batch_goes_from_its_review_to_its_shipment(client: Client) -> None:
    batch = factories.completed_batch()
    factories.happened(batch, EventKind.ALARM, text="pressure high")
    factories.batch_trail_review(batch)
    of = f"batches/{batch.number}"
    quality = _as(client, Role.QUALITY_ASSURANCE)

    shown = quality("get", f"{of}/review", 200)
    alarms = next(one for one in shown["sections"] if one["name"] == "alarms")
    assert (alarms["count"], alarms["exception_count"]) == (1, 1)
    assert "pressure high" in alarms["exceptions"][0]["text"]
    assert [one["name"] for one in shown["blockers"]] == ["record-not-reviewed"]
    signed = quality(
        "post", f"{of}/review", 201, digest=shown["digest"], password=PASSWORD,
        remarks="the alarm was answered in time",
    )  # fmt: skip
    assert signed["is_current"]
    assert signed["signature"]["meaning"] == "reviewed"
    quality(
        "post", f"{of}/disposition", 201, outcome="released", password=PASSWORD,
        reason="every exception is explained", expires_on="2028-02-28",
    )  # fmt: skip
    stands = quality("get", f"{of}/disposition", 200)
    assert stands["disposition"] == "released"
    assert not stands["needs_reevaluation"]
    assert stands["certificate"] is None
    assert stands["decision"]["expires_on"] == "2028-02-28"

    qualified = _as(client, Role.QUALIFIED_PERSON)
    certificate = qualified("post", f"{of}/certificates", 201, password=PASSWORD)
    assert certificate["signature"]["meaning"] == "certified"
    assert certificate["signature"]["role"] == "Qualified Person"
    assert qualified("get", "certificates", 200)["results"][0]["number"] == certificate["number"]
    assert certificate["number"] in qualified("get", "certificates.csv", 200)
    assert qualified("get", f"{of}/certificates", 200)[0]["serial"] == certificate["serial"]

    warehouse = _as(client, Role.WAREHOUSE)
    decided_at = stands["decision"]["decided_at"]
    shipment = warehouse(
        "post", f"{of}/shipments", 201, market="eu", consignee="A wholesaler", quantity="120",
        unit="{vial}", shipped_at=decided_at,
    )  # fmt: skip
    assert shipment["certificate"] == certificate["number"]
    assert warehouse("get", "shipments?consignee=whole", 200)["count"] == 1
    assert warehouse("get", f"{of}/shipments", 200) == [shipment]


def test_a_review_of_another_state_of_the_record_is_refused_and_recorded(client: Client) -> None:
    batch = factories.completed_batch()
    quality = _as(client, Role.QUALITY_ASSURANCE)
    shown = quality("get", f"batches/{batch.number}/review", 200)
    factories.happened(batch, EventKind.OBSERVATION, text="in between")

    refused = quality(
        "post", f"batches/{batch.number}/review", 409, digest=shown["digest"], password=PASSWORD,
        remarks="all of it was read",
    )  # fmt: skip

    assert "record-changed" in refused["type"]
    assert Refusal.objects.using("outside").filter(code="record-changed").count() == 1


def test_a_change_after_the_release_is_answered_with_who_changed_what(client: Client) -> None:
    batch = factories.released_batch()
    factories.deviation(batch)
    quality = _as(client, Role.QUALITY_ASSURANCE)

    shown = quality("get", f"batches/{batch.number}/disposition", 200)

    assert shown["needs_reevaluation"]
    assert not shown["decision"]["is_current"]
    assert {one["record"] for one in shown["changed_since"]} == {
        "quality_deviation", "execution_batch_deviations",
    }  # fmt: skip
    qualified = _as(client, Role.QUALIFIED_PERSON)
    refused = qualified("post", f"batches/{batch.number}/certificates", 409, password=PASSWORD)
    assert "reevaluation-needed" in refused["type"]


def test_a_wrong_password_signs_nothing(client: Client) -> None:
    batch = factories.completed_batch()
    quality = _as(client, Role.QUALITY_ASSURANCE)

    quality(
        "post", f"batches/{batch.number}/disposition", 403, outcome="released",
        reason="every exception is explained", password="something else",
    )  # fmt: skip

    assert not batch.decisions.exists()


def test_what_the_api_reads_of_a_batch_takes_as_many_questions_with_more_decisions(
    client: Client,
) -> None:
    batch = factories.completed_batch()
    quality = _as(client, Role.QUALITY_ASSURANCE)
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as seen:
            quality("get", f"batches/{batch.number}/disposition", 200)
            quality("get", f"batches/{batch.number}/review", 200)
        counts.append(len(seen))
        for outcome in ("held", "lifted"):
            factories.decision(batch, outcome)  # type: ignore[arg-type]
        factories.review(batch)

    assert counts[1] <= counts[0] + 12  # the standing of a decision, whatever their number
    assert counts[0] < 260
