"""The pages of the disposition: what deviates is shown, and what is shown is what is signed."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from batches.disposition.models import Certificate, Decision
from batches.execution.models import Batch, EventKind
from compliance.access.duties import Role
from tests import factories
from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db


def _page(client: Client, path: str, role: Role = Role.QUALITY_ASSURANCE) -> str:
    client.force_login(factories.person(role))
    answer = client.get(path)
    assert answer.status_code == 200, answer.content
    return answer.content.decode()


def _review(batch: Batch) -> str:
    return f"/admin/disposition/batchreview/of/{batch.pk}/"


@pytest.mark.requirement("211-192")
def test_the_review_shows_what_deviates_and_counts_what_does_not(client: Client) -> None:
    batch = factories.completed_batch()
    factories.happened(batch, EventKind.ALARM, text="pressure high")

    page = _page(client, _review(batch))

    assert "pressure high" in page
    assert "Batch started" not in page  # counted, and reached through the list
    assert f"/admin/execution/batchevent/?batch__id__exact={batch.pk}" in page
    assert "nobody of quality has signed a review of the record as it is now" in page
    assert "21 CFR 211.192" in page


def test_the_page_signs_what_it_shows(client: Client) -> None:
    batch = factories.completed_batch()
    factories.happened(batch, EventKind.OBSERVATION, text="foam")
    page = _page(client, _review(batch))
    digest = re.search(r'name="digest" value="([0-9a-f]{64})"', page)
    assert digest
    values = {"digest": digest[1], "remarks": "foam does no harm", "password": PASSWORD}

    act = f"/admin/execution/batch/{batch.pk}/acts/review/"
    done = client.post(act, values)
    factories.happened(batch, EventKind.OBSERVATION, text="more foam")
    late = client.post(act, values)

    assert done.status_code == 302
    assert late.status_code == 409
    assert "changed while it was reviewed" in late.content.decode()
    assert batch.reviews.count() == 2  # the factory's own, and this one


def test_an_auditor_reads_the_review_and_cannot_sign_it(client: Client) -> None:
    page = _page(client, _review(factories.completed_batch()), Role.AUDITOR)

    assert "Sign the review" not in page


def test_a_change_after_the_release_is_on_the_page_of_the_batch(client: Client) -> None:
    batch = factories.released_batch()
    factories.deviation(batch)

    page = _page(client, f"/admin/execution/batch/{batch.pk}/change/")

    assert "Re-evaluation needed" in page
    assert "quality.deviation-opened" in page


@pytest.mark.parametrize(
    ("outcome", "values"),
    [("held", {}), ("rework", {"reference": "RO-1"}), ("rejected", {}), ("released", {})],
)
def test_quality_decides_on_the_page_of_the_batch(
    client: Client, outcome: str, values: dict[str, str]
) -> None:
    batch = factories.completed_batch()
    page = _page(client, f"/admin/execution/batch/{batch.pk}/change/")
    act = f"/admin/execution/batch/{batch.pk}/acts/{outcome}/"
    assert act in page
    assert f"/admin/execution/batch/{batch.pk}/acts/lifted/" not in page

    answer = client.post(act, {"reason": "the record was reviewed", "password": PASSWORD, **values})

    assert answer.status_code == 302, answer.content
    assert Decision.objects.get(batch=batch).outcome == outcome


def test_the_register_is_a_page_and_a_file(client: Client) -> None:
    batch = factories.released_batch()
    client.force_login(factories.person(Role.QUALIFIED_PERSON))
    act = f"/admin/execution/batch/{batch.pk}/acts/certify/"
    statement = "certified in compliance with EU GMP"

    answer = client.post(act, {"statement": statement, "assessment": "", "password": PASSWORD})

    certificate = Certificate.objects.get()
    assert answer.status_code == 302
    assert certificate.number in _page(client, "/admin/disposition/certificate/")
    assert statement in _page(client, answer["Location"])
    register = client.get("/admin/disposition/certificate/register.csv")
    assert certificate.number in register.content.decode()


def test_the_warehouse_ships_on_the_page_of_the_batch(client: Client) -> None:
    batch = factories.released_batch()
    factories.certificate(batch)
    client.force_login(factories.person(Role.WAREHOUSE))
    values = {
        "market": "eu", "consignee": "A wholesaler", "quantity": "12", "unit": "{vial}",
        "shipped_at": "2026-03-02T12:00",
    }  # fmt: skip

    answer = client.post(f"/admin/execution/batch/{batch.pk}/acts/ship/", values)

    assert answer.status_code == 302, answer.content
    assert "A wholesaler" in _page(client, "/admin/disposition/shipment/")


def test_a_list_asks_as_much_for_three_records_as_for_one(client: Client) -> None:
    client.force_login(factories.person(Role.AUDITOR))
    recipe = factories.recipe()
    counts: dict[str, list[int]] = {}
    for _ in range(3):
        batch = factories.released_batch(recipe)
        factories.certificate(batch)
        factories.shipment(batch)
        for model in ("batchreview", "decision", "certificate", "shipment"):
            with CaptureQueriesContext(connection) as seen:
                client.get(f"/admin/disposition/{model}/")
            counts.setdefault(model, []).append(len(seen))

    assert {model: found for model, found in counts.items() if len(set(found[1:])) > 1} == {}
