"""Risks: several raters, their spread in the open, and no decision by a product of numbers."""

from datetime import timedelta
from decimal import Decimal
from itertools import product
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from compliance.access.duties import Role
from compliance.quality import occurrences, overdue_work, rating_spread, risks
from compliance.quality.models import (
    Category,
    Dimension,
    Rating,
    Risk,
    RiskState,
    Scale,
    ScaleLevel,
)
from compliance.quality.rating_spread import Numbers
from compliance.quality.risks import RiskIncomplete, SeverityForbids
from tests import factories
from tests.factories import NOON, confirmed, person

pytestmark = pytest.mark.django_db
WHY = "as far as the record of repairs shows, it is so"


def _decide(risk: Risk, *, is_accepted: bool = True, resolved: str = "") -> Risk:
    return risks.decide(
        risk, is_accepted=is_accepted, rationale=WHY, resolved=resolved,
        review_due_on=NOON.date() + timedelta(days=365),
        confirmed=confirmed(person(Role.QUALITY_ASSURANCE)),
    )  # fmt: skip


def _refused(match: str, risk: Risk, **values: Any) -> None:
    with pytest.raises(IntegrityError, match=match):
        with transaction.atomic(), factories.acting():
            Risk.objects.filter(pk=risk.pk).update(
                rationale=WHY, decided_by=risk.author, decided_at=NOON,
                review_due_on=NOON.date(), **values,
            )  # fmt: skip


@pytest.mark.requirement("Q9R1")
def test_a_risk_rated_by_one_person_is_not_decided() -> None:
    risk = factories.risk((2, 2, 2))

    with pytest.raises(RiskIncomplete, match="fewer than 2"):
        _decide(risk)
    _refused("not rated by two people", risk, state="accepted")


@pytest.mark.requirement("Q9R1")
def test_a_severe_effect_is_not_accepted_however_low_the_product_is() -> None:
    risk = factories.risk((4, 1, 1), (3, 1, 1))  # products 4 and 3, of at most 125

    with pytest.raises(SeverityForbids):
        _decide(risk)
    _refused("too severe", risk, state="accepted")
    assert _decide(risk, is_accepted=False).state == RiskState.TO_MITIGATE


@pytest.mark.requirement("Q9R1")
def test_raters_that_lie_wide_apart_are_shown_and_answered() -> None:
    risk = factories.risk((2, 1, 2), (2, 4, 2))
    ((_, ratings, spread),) = risks.spreads(risk)
    assert len(ratings) == 2
    assert spread is not None
    assert (spread.is_wide, spread.ranges, spread.lowest_rpn, spread.highest_rpn) == (
        True, Numbers(0, 3, 0), 4, 16,
    )  # fmt: skip
    assert spread.disagreement == Decimal("0.25")

    with pytest.raises(RiskIncomplete, match="wide apart"):
        _decide(risk)

    resolved = "The repairs of two years were counted together: four it is."
    assert _decide(risk, resolved=resolved).rationale.endswith(resolved)


@pytest.mark.requirement("Q9R1")
def test_a_rater_sees_no_other_rating_and_does_not_rate_twice() -> None:
    risk = factories.risk((2, 2, 2), (2, 2, 3))
    first = Rating.objects.order_by("pk")[0]
    assert risks.visible_ratings(risk, to=first.rater) == [first]
    assert len(risks.visible_ratings(risk, to=person(Role.QUALITY_ASSURANCE))) == 2
    with pytest.raises(risks.RatedAlready):
        risks.rate(first.mode, numbers=Numbers(1, 1, 1), rationale=WHY, actor=first.rater, at=NOON)
    with pytest.raises(RiskIncomplete, match="from 1 to 5"):
        risks.rate(
            first.mode, numbers=Numbers(6, 1, 1), rationale=WHY, actor=person(Role.SUPERVISOR),
            at=NOON,
        )  # fmt: skip
    with pytest.raises(IntegrityError, match="beyond the scale"):
        with transaction.atomic(), factories.acting():
            Rating.objects.create(
                mode=first.mode, round=1, rater=person(Role.SUPERVISOR), severity=9, occurrence=1,
                detection=1, rationale=WHY, rated_at=NOON,
            )  # fmt: skip


@pytest.mark.requirement("Q9R1")
def test_a_review_counts_what_has_occurred_and_can_have_it_rated_again() -> None:
    risk = factories.decided_risk()
    later = NOON + timedelta(days=40)
    for _ in range(3):
        with factories.acting():
            one = factories.deviation(at=NOON + timedelta(days=20))
            one.category = Category.EQUIPMENT
            one.save()
    factories.deviation(at=NOON + timedelta(days=20))  # of no category

    made = risks.review(
        risk, text=WHY, is_rated_again=True, next_due_on=None,
        actor=person(Role.QUALITY_ASSURANCE), at=later,
    )  # fmt: skip

    assert made.deviations_since == 3
    risk.refresh_from_db()
    assert (risk.state, risk.round) == (RiskState.RATING, 2)
    assert occurrences.of_year(risk, at=later).deviations == 3
    with pytest.raises(RiskIncomplete, match="fewer than 2"):
        _decide(risk)  # the ratings of the first round count no more


@pytest.mark.requirement("Q9R1")
def test_a_late_review_is_found() -> None:
    risk = factories.decided_risk()

    assert overdue_work.everything(on=NOON.date() + timedelta(days=365)) == []
    (late,) = overdue_work.everything(on=NOON.date() + timedelta(days=366))

    assert (late.record, late.number) == ("quality_risk", risk.number)


@pytest.mark.requirement("Q9R1")
def test_scales_are_versions_and_never_changed() -> None:
    first, second = factories.scale(), factories.scale()
    assert (first.version, second.version) == (1, 2)
    with pytest.raises(risks.ScaleIncomplete):
        risks.define_scale(
            title="Two dimensions only",
            levels={Dimension.SEVERITY: ["a small effect"] * 3, Dimension.OCCURRENCE: ["x"] * 3},
            severe_from=3, confirmed=confirmed(person(Role.QUALITY_ASSURANCE)),
        )  # fmt: skip
    for model, column in ((Scale, "title"), (ScaleLevel, "definition")):
        with pytest.raises(Exception, match="nothing regulated is altered"):
            with transaction.atomic(), factories.acting():
                model.objects.update(**{column: "all is well"})


def test_the_spread_of_all_pairs_of_a_small_scale_agrees_with_its_definition() -> None:
    scale = [1, 2, 3]
    every = [Numbers(*one) for one in product(scale, scale, scale)]
    for one, other in product(every, every):
        found = rating_spread.of([one, other], highest=3)
        apart = [abs(a - b) for a, b in zip(vars_of(one), vars_of(other), strict=True)]
        assert vars_of(found.ranges) == apart
        assert found.is_wide == (max(apart) >= 2)
        assert found.disagreement == (Decimal(sum(apart)) / 6).quantize(Decimal("0.01"))
        assert found.highest_rpn == max(one.rpn, other.rpn)
        assert vars_of(found.worst) == [
            max(a, b) for a, b in zip(vars_of(one), vars_of(other), strict=True)
        ]


def vars_of(numbers: Numbers) -> list[int]:
    return [numbers.severity, numbers.occurrence, numbers.detection]


def test_one_rating_has_no_spread_and_none_is_an_error() -> None:
    assert rating_spread.of([Numbers(1, 2, 3)], highest=5).disagreement == 0
    with pytest.raises(ValueError, match="no spread"):
        rating_spread.of([], highest=5)
