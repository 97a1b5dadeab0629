"""Stability studies run as planned: pulls in their windows, results judged, trends computed."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from batches.laboratory import oos_opening, stability, stability_results, states
from batches.laboratory.models import (
    OosInvestigation,
    PullState,
    SpecificationUse,
    StabilityPull,
    StabilityStudy,
    StudyKind,
    StudyState,
)
from batches.laboratory.runs import ReviewerIsAnalyst
from batches.laboratory.stability import Schedule
from compliance.access.duties import Role
from compliance.signatures import signing
from tests import factories
from tests.batches.laboratory.conftest import Refuses
from tests.factories import NOON

pytestmark = [pytest.mark.django_db, pytest.mark.requirement("211-160/165/166/198", "CH5/6")]


def _planned(months: tuple[int, ...] = (0, 3, 6)) -> StabilityStudy:
    batch = factories.completed_batch()
    version = factories.specification(batch.recipe.product, use=SpecificationUse.STABILITY)
    return stability.plan(
        batch, specification=version, kind=StudyKind.LONG_TERM, condition="25 °C / 60 % RH",
        started_on=NOON.date(), schedule=Schedule(months), at=NOON,
        actor=factories.person(Role.QC_SUPERVISOR), reason="first commercial batch of the year",
    )  # fmt: skip


def _running(months: tuple[int, ...] = (0, 3, 6)) -> StabilityStudy:
    return stability.approve(
        _planned(months), confirmed=factories.confirmed(factories.person(Role.QUALITY_ASSURANCE))
    )


def _pull(study: StabilityStudy, month: int) -> StabilityPull:
    pull = study.pulls.get(month=month)
    at = datetime.combine(pull.due_on, NOON.timetz()) + timedelta(hours=1)
    return stability.pull(pull, pulled_at=at, actor=factories.person(Role.QC_ANALYST), at=at)


def _report(pull: StabilityPull, value: str, tag: str = "mab_g_l") -> object:
    assert pull.pulled_at is not None
    return stability_results.report(
        pull, test=pull.study.specification.tests.get(tag=tag), value_text=value,
        tested_at=pull.pulled_at, actor=factories.person(Role.QC_ANALYST), at=pull.pulled_at,
    )  # fmt: skip


def test_a_study_is_planned_with_its_pulls_and_approved_by_another_person() -> None:
    study = _running()

    assert study.state == StudyState.RUNNING
    assert list(study.pulls.order_by("month").values_list("due_on", "opens_on", "closes_on")) == [
        (date(2026, 3, 2), date(2026, 2, 23), date(2026, 3, 16)),
        (date(2026, 6, 2), date(2026, 5, 26), date(2026, 6, 16)),
        (date(2026, 9, 2), date(2026, 8, 26), date(2026, 9, 16)),
    ]
    assert signing.of(study)


def test_the_author_of_a_study_does_not_approve_it(database_refuses: Refuses) -> None:
    study = _planned()
    study.author.role_assignments.all()
    with pytest.raises(stability.AuthorApprovesStudy):
        both = factories.person(Role.QC_SUPERVISOR, Role.QUALITY_ASSURANCE)
        of_both = stability.plan(
            study.batch, specification=study.specification, kind=StudyKind.ACCELERATED,
            condition="40 °C / 75 % RH", started_on=NOON.date(), schedule=Schedule((0, 6)),
            actor=both, at=NOON, reason="the accelerated arm of it",
        )  # fmt: skip
        stability.approve(of_both, confirmed=factories.confirmed(both))
    database_refuses(
        "UPDATE laboratory_stabilitystudy SET state = 'running', approver_id = author_id "
        "WHERE id = %s",
        study.pk,
        saying="study_approved_by_another",
    )


def test_the_last_day_of_a_shorter_month_is_due() -> None:
    assert stability.months_after(date(2026, 8, 31), 6) == date(2027, 2, 28)
    assert stability.months_after(date(2027, 8, 31), 6) == date(2028, 2, 29)


def test_a_pull_before_its_window_is_none_and_after_it_says_why(database_refuses: Refuses) -> None:
    study = _running()
    pull = study.pulls.get(month=3)
    analyst = factories.person(Role.QC_ANALYST)
    early = datetime(2026, 5, 25, 12, tzinfo=NOON.tzinfo)
    late = datetime(2026, 6, 17, 12, tzinfo=NOON.tzinfo)

    with pytest.raises(stability.OutOfWindow):
        stability.pull(pull, pulled_at=early, actor=analyst, at=early)
    with pytest.raises(stability.recording.ReasonNotMeaningful):
        stability.pull(pull, pulled_at=late, actor=analyst, at=late)
    database_refuses(
        "UPDATE laboratory_stabilitypull SET state = 'pulled', pulled_at = %s, pulled_by = 'x' "
        "WHERE id = %s",
        late,
        pull.pk,
        saying="a pull outside its window says why",
    )
    done = stability.pull(
        pull, pulled_at=late, actor=analyst, at=late, remark="the chamber was locked for repair"
    )
    assert done.state == PullState.PULLED


def test_a_missed_pull_stays_as_a_gap_with_its_reason() -> None:
    study = _running()
    pull = study.pulls.get(month=3)
    analyst = factories.person(Role.QC_ANALYST)
    with pytest.raises(stability.OutOfWindow):
        stability.miss(pull, actor=analyst, at=NOON, reason="the chamber had failed")
    at = datetime(2026, 7, 1, 12, tzinfo=NOON.tzinfo)
    assert pull in stability.overdue(on=at.date())

    missed = stability.miss(pull, actor=analyst, at=at, reason="the chamber had failed")

    assert missed.state == PullState.MISSED
    assert pull not in stability.overdue(on=at.date())
    with pytest.raises(states.PullStateForbids):
        stability.pull(pull, pulled_at=at, actor=analyst, at=at, remark="found them after all")


def test_a_study_is_complete_when_each_pull_has_its_record() -> None:
    study = _running((0,))
    author = factories.person(Role.QC_SUPERVISOR)
    with pytest.raises(stability.StudyInvalid):
        stability.complete(study, actor=author, at=NOON, reason="all of it is done")
    _pull(study, 0)

    done = stability.complete(study, actor=author, at=NOON, reason="all of it is done")

    assert done.state == StudyState.COMPLETED


def test_a_result_needs_its_pull_and_a_running_study(database_refuses: Refuses) -> None:
    study = _running()
    pull = study.pulls.get(month=0)
    test = study.specification.tests.get(tag="mab_g_l")
    analyst = factories.person(Role.QC_ANALYST)

    with pytest.raises(states.PullStateForbids):
        stability_results.report(
            pull, test=test, value_text="3.0", tested_at=NOON, actor=analyst, at=NOON
        )
    database_refuses(
        "INSERT INTO laboratory_stabilityresult (pull_id, test_id, version, value_text, value, "
        "judged_value, judgement, reason, entered_by_id, tested_at, recorded_at) "
        "VALUES (%s, %s, 1, '3', 3, 3, 'conforms', '', %s, now(), now())",
        pull.pk,
        test.pk,
        analyst.pk,
        saying="of a pulled sample",
    )


@pytest.mark.requirement("FDA-OOS")
def test_a_stability_oos_opens_its_investigation_and_stands(database_refuses: Refuses) -> None:
    pull = _pull(_running(), 0)

    _report(pull, "2.10")

    made = OosInvestigation.objects.get()
    assert made.batch == pull.study.batch
    assert made.stability_result is not None
    with pytest.raises(stability_results.ResultReported):
        _report(pull, "3.00")
    with pytest.raises(oos_opening.OosStands):
        stability_results.report(
            pull, test=made.test, value_text="3.00", tested_at=pull.pulled_at, version=2,
            actor=factories.person(Role.QC_ANALYST), at=pull.pulled_at, reason="a second look",
        )  # fmt: skip
    database_refuses(
        "INSERT INTO laboratory_stabilityresult (pull_id, test_id, version, value_text, value, "
        "judged_value, judgement, reason, entered_by_id, tested_at, recorded_at) "
        "VALUES (%s, %s, 2, '3', 3, 3, 'conforms', 'mean of three', %s, now(), now())",
        pull.pk,
        made.test_id,
        made.stability_result.entered_by_id,
        saying="neither corrected nor averaged away",
    )


def test_a_second_person_reviews_a_stability_result(database_refuses: Refuses) -> None:
    pull = _pull(_running(), 0)
    both = factories.person(Role.QC_SUPERVISOR)
    found = stability_results.report(
        pull, test=pull.study.specification.tests.get(tag="mab_g_l"), value_text="3.00",
        tested_at=pull.pulled_at, actor=both, at=pull.pulled_at,
    )  # fmt: skip

    with pytest.raises(ReviewerIsAnalyst):
        stability_results.review(found, confirmed=factories.confirmed(both))
    signature = signing.sign(
        found, meaning=signing.Meaning.REVIEWED, confirmed=factories.confirmed(both)
    )
    database_refuses(
        "INSERT INTO laboratory_stabilityreview (result_id, reviewer_id, signature_id, "
        "reviewed_at) VALUES (%s, %s, %s, now())",
        found.pk,
        both.pk,
        signature.pk,
        saying="a second person reviews",
    )
    other = factories.confirmed(factories.person(Role.QC_SUPERVISOR))
    assert stability_results.review(found, confirmed=other).result == found
    with pytest.raises(states.ResultStateForbids):
        stability_results.review(found, confirmed=other)


def test_a_trend_has_its_line_and_the_months_within_the_limits() -> None:
    study = _running((0, 3, 6))
    for month, value in ((0, "3.10"), (3, "3.00"), (6, "2.90")):
        _report(_pull(study, month), value)

    (trend,) = stability_results.trends(study)

    assert trend.points == [(0, Decimal("3.10")), (3, Decimal("3.00")), (6, Decimal("2.90"))]
    assert trend.line is not None
    # 3.10 - m/30 is 2.50 at month 18; Q1E lets 6 months of data speak for at most 12.
    assert trend.line.at(18) == Decimal("2.5")
    assert trend.months == 12
