"""The laboratory counts its complaints for the periodic reviews of quality."""

from datetime import timedelta

import pytest

from batches.laboratory import complaints
from batches.laboratory.complaints import Answer, Told
from compliance.access.duties import Role
from compliance.quality import figures
from tests import factories
from tests.factories import NOON

pytestmark = pytest.mark.django_db


def _complaint(*, is_serious: bool = False, days: int = 0) -> complaints.Complaint:
    at = NOON + timedelta(days=days)
    told = Told(
        complainant="A pharmacist", product_text="Demomab 10 mg", is_serious=is_serious,
        nature="The solution is hazy and has white threads.",
    )  # fmt: skip
    quality = factories.person(Role.QUALITY_ASSURANCE)
    return complaints.open_(told=told, received_at=at, actor=quality, at=at)


@pytest.mark.requirement("A11-11", "211-160/165/166/198")
def test_a_periodic_review_has_the_figures_of_complaints() -> None:
    answered = _complaint()
    _complaint(is_serious=True)
    _complaint(days=40)
    complaints.investigate(
        answered,
        answer=Answer(False, no_investigation_reason="the same as an answered one of last week"),
        actor=factories.person(Role.SUPERVISOR), at=NOON, reason="read and compared",
    )  # fmt: skip
    complaints.close(
        answered, reason="answered and agreed",
        confirmed=factories.confirmed(factories.person(Role.QUALITY_ASSURANCE)),
    )  # fmt: skip

    found = figures.collect(
        starts_on=NOON.date() - timedelta(days=30), ends_on=NOON.date() + timedelta(days=30)
    )

    assert found["complaints"] == {
        "opened": 2, "serious": 1, "closed": 1, "closed-without-investigation": 1,
        "open-at-the-end": 1,
    }  # fmt: skip
