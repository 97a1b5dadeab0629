"""The annual review of a product has every batch of the period, and what was said about them."""

from datetime import date, timedelta

import pytest
from django.test import Client

from batches.disposition import annual_review
from batches.disposition.annual_review import PeriodInvalid
from batches.disposition.models import Outcome
from batches.execution.models import Batch, BatchState, EventKind
from batches.laboratory import complaints, oos_conclusions
from batches.laboratory.complaints import Told
from batches.laboratory.models import Conclusion
from compliance.access.duties import Role
from compliance.quality import trends
from tests import factories
from tests.factories import NOON

pytestmark = pytest.mark.django_db
FIRST, LAST = date(2026, 1, 1), date(2026, 12, 31)
LATER = NOON + timedelta(days=400)


def _review(batch: Batch, starts_on: date = FIRST, ends_on: date = LAST) -> dict[str, list]:
    found = annual_review.of(batch.recipe.product, starts_on=starts_on, ends_on=ends_on, at=LATER)
    return {one.name: list(one.rows) for one in found.parts}


@pytest.mark.requirement("211-180", "CH1")
def test_every_batch_of_the_period_is_in_it_whatever_became_of_it() -> None:
    recipe = factories.recipe()
    released = factories.released_batch(recipe)
    rejected = factories.completed_batch(recipe)
    factories.decision(rejected, Outcome.REJECTED)
    aborted = factories.running_batch(recipe)
    factories.happened(aborted, EventKind.BATCH_ABORTED, text="power failed")
    issued = factories.batch(recipe)
    factories.batch(recipe, at=NOON + timedelta(days=365))  # of the next period
    factories.batch()  # of another product

    found = _review(released)

    of_period = Batch.objects.filter(recipe__product=recipe.product, issued_at__year=2026)
    assert {row["batch"] for row in found["batches"]} == {one.number for one in of_period}
    assert {row["batch"]: (row["state"], row["disposition"]) for row in found["batches"]} == {
        released.number: (BatchState.COMPLETED, "released"),
        rejected.number: (BatchState.COMPLETED, "rejected"),
        aborted.number: (BatchState.ABORTED, "pending"),
        issued.number: (BatchState.ISSUED, "pending"),
    }
    assert [row["batch"] for row in found["rejected"]] == [rejected.number]
    assert {row["batch"]: row["percent"] for row in found["yields"]} == {
        released.number: "100.00", rejected.number: "100.00",
    }  # fmt: skip
    (antibody,) = found["results"]
    assert (antibody["test"], antibody["count"], antibody["mean"]) == ("mab_g_l", "2", "3.1")
    assert found["recalls"] == found["reprocessing"] == found["complaints"] == []


@pytest.mark.requirement("211-180", "CH1")
def test_what_was_investigated_changed_and_complained_of_is_in_it() -> None:
    batch = factories.specified_batch()
    oos = factories.oos_investigation(about=batch)
    deviation = factories.deviation(batch)
    change = factories.approved_change()
    second = factories.recipe_draft(of=batch.recipe.product)
    factories.made_effective(second)
    told = Told(
        complainant="A pharmacist", product_text="Demomab", is_serious=False,
        nature="The solution is hazy and has white threads.",
    )  # fmt: skip
    quality = factories.person(Role.QUALITY_ASSURANCE)
    complaint = complaints.open_(told=told, received_at=NOON, actor=quality, at=NOON)
    complaints.consider(
        complaint, batch=batch, is_affected=True, finding="its retained sample is hazy too",
        actor=factories.person(Role.QC_SUPERVISOR), at=NOON,
    )  # fmt: skip

    found = _review(batch)

    assert [row["number"] for row in found["oos"]] == [oos.number]
    assert [row["number"] for row in found["deviations"]] == [deviation.number]
    assert [(row["number"], row["batches"]) for row in found["complaints"]] == [
        (complaint.number, batch.number)
    ]
    assert [(row["number"], row["recipe"]) for row in found["changes"]] == [
        (second.change_number, "v2")
    ]
    assert change.number not in {row["number"] for row in found["changes"]}
    assert found["results"][0]["oos"] == "1"


@pytest.mark.requirement("211-180")
def test_a_recall_is_in_the_review_of_its_own_period() -> None:
    batch = factories.released_batch()
    factories.decision(batch, Outcome.RECALLED, at=NOON + timedelta(days=366), reference="RECALL-1")

    assert _review(batch)["recalls"] == []
    later = _review(batch, date(2027, 1, 1), date(2027, 12, 31))
    assert [(row["batch"], row["reference"]) for row in later["recalls"]] == [
        (batch.number, "RECALL-1")
    ]
    assert later["batches"] == []


@pytest.mark.parametrize(
    ("starts_on", "ends_on"),
    [
        (date(2026, 5, 1), date(2026, 4, 30)),
        (date(2020, 1, 1), date(2026, 1, 1)),
        (date(2028, 1, 1), date(2028, 2, 1)),
    ],
)
def test_a_period_that_cannot_be_is_refused(starts_on: date, ends_on: date) -> None:
    with pytest.raises(PeriodInvalid):
        annual_review.of(factories.product(), starts_on=starts_on, ends_on=ends_on, at=LATER)


def test_the_review_is_read_over_the_api_and_on_its_page(client: Client) -> None:
    batch = factories.batch()
    product = batch.recipe.product
    client.force_login(factories.person(Role.QUALITY_ASSURANCE))
    address = f"/api/v1/products/{product.code}/annual-review"
    period = {"starts_on": "2026-01-01", "ends_on": "2026-10-31"}

    answer = client.get(address, period)

    assert answer.status_code == 200, answer.content
    parts = {one["name"]: one for one in answer.json()["parts"]}
    assert [row["batch"] for row in parts["batches"]["rows"]] == [batch.number]
    assert "211.180(e)" in parts["batches"]["clause"]
    assert client.get(address, {"starts_on": "2026-01-01"}).status_code == 422
    refused = client.get(address, {**period, "ends_on": "2025-12-31"})
    assert refused.status_code == 422
    assert "review-period-invalid" in refused.json()["type"]
    page = client.get(f"/admin/disposition/batchreview/annual/{product.pk}/", period)
    assert batch.number in page.content.decode()
    for wrong in ({}, {**period, "ends_on": "10/31/2026"}, {**period, "site": "1"}):
        shown = client.get(f"/admin/disposition/batchreview/annual/{product.pk}/", wrong)
        assert shown.status_code == 400, wrong
        assert "This cannot be asked so" in shown.content.decode()
    assert (
        "Annual review"
        in client.get(f"/admin/recipes/product/{product.pk}/change/").content.decode()
    )


# --- The figures of the management review


@pytest.mark.requirement("Q10")
def test_the_pack_has_lot_acceptance_and_invalidated_oos_as_counted_another_way() -> None:
    recipe = factories.recipe()
    kept = [factories.released_batch(recipe) for _ in range(2)]
    refused = factories.completed_batch(recipe)
    factories.decision(refused, Outcome.REJECTED)
    factories.decision(kept[0], Outcome.RECALLED, reference="RECALL-1")
    factories.completed_batch(recipe)  # nobody has decided about it

    pack = trends.pack(on=NOON.date())

    shares = {one.name: (one.share.part, one.share.whole) for one in pack.others}
    decided = [
        [one.outcome for one in batch.decisions.order_by("pk")]
        for batch in Batch.objects.filter(recipe=recipe)
    ]
    firsts = [outcomes[0] for outcomes in decided if outcomes]
    assert shares["lot-acceptance"] == (firsts.count("released"), len(firsts)) == (2, 3)
    assert shares["invalidated-oos"] == (0, 0)
    assert shares["complaints"] == (0, 4)
    assert trends.pack(on=NOON.date() + timedelta(days=366)).others[0].share.whole == 0


@pytest.mark.requirement("Q10", "FDA-OOS")
def test_the_share_of_invalidated_oos_counts_what_is_closed() -> None:
    supervisor = factories.person(Role.QC_SUPERVISOR)
    quality = factories.confirmed(factories.person(Role.QUALITY_ASSURANCE))
    found = factories.investigated_oos(
        factories.oos_investigation(), by=supervisor, cause=factories.CAUSE
    )
    concluded = oos_conclusions.conclude(
        found, conclusion=Conclusion.INVALIDATED, confirmed=factories.confirmed(supervisor),
        text="The sample was diluted twice as far as the method says.",
    )  # fmt: skip
    factories.oos_investigation()  # open

    before = trends.pack(on=NOON.date())
    oos_conclusions.close(concluded, confirmed=quality, reason="complete, agreed")
    after = trends.pack(on=NOON.date())

    shares = [
        {one.name: (one.share.part, one.share.whole) for one in pack.others}["invalidated-oos"]
        for pack in (before, after)
    ]
    assert shares == [(0, 0), (1, 1)]


@pytest.mark.requirement("Q10")
def test_open_oos_are_no_part_of_the_invalidated_share(client: Client) -> None:
    factories.oos_investigation()
    client.force_login(factories.person(Role.QUALITY_ASSURANCE))

    pack = trends.pack(on=NOON.date())

    assert {one.name: one.share.whole for one in pack.others}["invalidated-oos"] == 0
    shown = client.get("/api/v1/deviations/trends").json()["pack"]["others"]
    assert {one["name"] for one in shown} >= {"lot-acceptance", "invalidated-oos", "complaints"}
    page = client.get("/admin/quality/deviation/trends/").content.decode()
    assert "OOS invalidated, of those opened in twelve months" in page
