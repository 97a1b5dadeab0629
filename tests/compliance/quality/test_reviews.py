"""Periodic reviews, and the figures of the management review."""

import random
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from django.db import IntegrityError, transaction

from compliance.access.duties import Role
from compliance.access.models import RoleAssignment, User
from compliance.quality import (
    figures,
    kpis,
    overdue_work,
    periodic_reviews,
    recurrences,
    trends,
)
from compliance.quality.kpis import Dated
from compliance.quality.models import PeriodicReview
from compliance.quality.periodic_reviews import PeriodicReviewInvalid
from tests import factories
from tests.factories import NOON, confirmed, person

pytestmark = pytest.mark.django_db
TODAY = NOON.date()
WHY = "as the evidence of the case says"


def _open() -> PeriodicReview:
    return periodic_reviews.open_(
        system="The plant's record", starts_on=TODAY - timedelta(days=90), ends_on=TODAY,
        actor=person(Role.QUALITY_ASSURANCE), at=NOON,
    )  # fmt: skip


@pytest.mark.requirement("A11-11", "A11D-14")
def test_a_periodic_review_collects_its_figures_once() -> None:
    factories.closed_deviation()
    factories.deviation()
    factories.change(is_emergency=True)
    factories.concluded_trail_review(factories.deviation())
    review = _open()
    people, roles = User.objects.count(), RoleAssignment.objects.count()
    factories.deviation()

    review.refresh_from_db()
    assert review.figures["incidents"]["opened"] == 3
    assert review.figures["incidents"]["closed"] == 1
    assert review.figures["incidents"]["opened-major"] == 3
    assert review.figures["changes"] == {"requested": 1, "emergencies": 1, "implemented": 0}
    assert review.figures["trail-reviews"] == {"concluded": 1, "findings": 0}
    access = review.figures["access"]
    assert (access["people-made"], access["roles-given"]) == (people, roles)


@pytest.mark.requirement("A11-11", "A11D-14")
def test_a_late_periodic_review_is_found() -> None:
    review = _open()
    with pytest.raises(PeriodicReviewInvalid, match="is open"):
        _open()
    done = periodic_reviews.conclude(
        review, conclusion="fit for its use", next_due_on=TODAY + timedelta(days=365),
        confirmed=confirmed(person(Role.QUALITY_ASSURANCE)),
    )  # fmt: skip

    assert overdue_work.everything(on=TODAY + timedelta(days=365)) == []
    (late,) = overdue_work.everything(on=TODAY + timedelta(days=366))
    assert late.number == "The plant's record"
    with pytest.raises(IntegrityError, match="never changed again"):
        with transaction.atomic(), factories.acting():
            PeriodicReview.objects.filter(pk=done.pk).update(conclusion="fit for anything")


def test_another_room_adds_its_figures() -> None:
    figures.register("access-reviews")(lambda start, end: {"done": 2})
    try:
        found = figures.collect(starts_on=TODAY, ends_on=TODAY)
    finally:
        del figures._counters["access-reviews"]

    assert found["access-reviews"] == {"done": 2}
    with pytest.raises(ValueError, match="registered already"):
        figures.register("capa")(lambda start, end: {})
    with pytest.raises(ValueError, match="no name"):
        figures.register("access reviews")(lambda start, end: {})


# --- Figures, computed a second way


@pytest.mark.requirement("Q10")
def test_the_shares_agree_with_a_second_computation() -> None:
    dice = random.Random(20260302)
    for _ in range(500):
        work = [
            Dated(
                TODAY + timedelta(days=dice.randint(-40, 40)),
                None if dice.random() < 0.3 else TODAY + timedelta(days=dice.randint(-60, 60)),
            )
            for _ in range(dice.randint(0, 30))
        ]
        found = kpis.on_time(work, on=TODAY)
        whole = part = 0
        for one in work:
            is_counted = one.done_on is not None or not one.due_on > TODAY
            whole += is_counted
            if is_counted and one.done_on is not None and not one.done_on > one.due_on:
                part += 1
        assert (found.part, found.whole) == (part, whole)
        if whole:
            exact = Fraction(100 * part, whole)
            assert found.percent is not None
            assert abs(Fraction(found.percent) - exact) <= Fraction(1, 20)
        else:
            assert found.percent is None


@pytest.mark.requirement("Q10")
@pytest.mark.parametrize(
    ("days", "expected"), [([], None), ([3], 3), ([1, 4], Decimal("2.5")), ([9, 1, 4], 4)]
)
def test_the_median_of_days(days: list[int], expected: Decimal | None) -> None:
    spans = [(TODAY, TODAY + timedelta(days=one)) for one in days]

    assert kpis.median_days(spans) == expected


@pytest.mark.requirement("Q10")
def test_the_pack_reads_the_records() -> None:
    factories.checked_capa(is_effective=True)
    factories.checked_capa(is_effective=False)
    factories.approved_capa()
    closed = factories.investigated_deviation()
    later = factories.deviation()
    recurrences.answer(later, is_recurrence=True, text=WHY, actor=person(Role.SUPERVISOR), at=NOON)
    assert recurrences.of(later) == [closed]

    pack = trends.pack(on=TODAY + timedelta(days=60))

    assert (pack.capa_on_time.part, pack.capa_on_time.whole) == (2, 3)
    assert pack.capa_effective.percent == Decimal("50.0")
    assert (pack.deviations_on_time.part, pack.deviations_on_time.whole) == (0, 2)
    assert pack.recurrences.percent is None  # none is closed


def test_the_trends_count_by_month_category_and_severity() -> None:
    factories.deviation()
    factories.deviation(at=NOON - timedelta(days=31))
    factories.deviation(at=NOON - timedelta(days=800))

    found = trends.of_months(until=date(2026, 3, 31), months=3)

    assert [(one.label, one.count) for one in found.months] == [
        ("2026-01", 1), ("2026-02", 0), ("2026-03", 1),
    ]  # fmt: skip
    assert found.by_severity == [("major", 2)]
    assert found.by_category == [("", 2)]
