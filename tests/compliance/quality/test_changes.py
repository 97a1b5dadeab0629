"""Change control: nothing goes ahead before the functions of its class have signed."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from compliance.access.duties import Role
from compliance.quality import change_work, changes
from compliance.quality.changes import ChangeIncomplete, Wish
from compliance.quality.models import Change, ChangeClass, ChangeState, ImpactKind
from tests import factories
from tests.factories import NOON, confirmed, person

pytestmark = pytest.mark.django_db
WHY = "as the evidence of the case says"


def _quality() -> Any:
    return confirmed(person(Role.QUALITY_ASSURANCE))


def _refused(change: Change, match: str, **values: Any) -> None:
    with pytest.raises(IntegrityError, match=match):
        with transaction.atomic(), factories.acting():
            Change.objects.filter(pk=change.pk).update(**values)


def _critical() -> Change:
    change = factories.change()
    with factories.acting():
        Change.objects.filter(pk=change.pk).update(classification="critical")
    change.refresh_from_db()
    for kind in ImpactKind:
        changes.assess_impact(
            change, kind=kind, is_affected=False, assessment=WHY, actor=change.requester, at=NOON
        )
    changes.add_task(
        change, text=WHY, owner=change.requester, due_on=NOON.date(), actor=change.requester,
        at=NOON,
    )  # fmt: skip
    return changes.finish_assessment(change, actor=change.requester, at=NOON, reason=WHY)


def test_every_kind_of_impact_is_looked_at_before_anybody_approves() -> None:
    change = factories.change()
    changes.assess_impact(
        change, kind=ImpactKind.RECIPE, is_affected=True, identifier="VIAL-50 2", assessment=WHY,
        actor=change.requester, at=NOON,
    )  # fmt: skip
    with pytest.raises(ChangeIncomplete, match="Twin models"):
        changes.finish_assessment(change, actor=change.requester, at=NOON, reason=WHY)
    _refused(change, "not assessed for every kind", state="assessed")
    with pytest.raises(ChangeIncomplete, match="name which"):
        changes.assess_impact(
            change, kind=ImpactKind.MODEL, is_affected=True, assessment=WHY,
            actor=change.requester, at=NOON,
        )  # fmt: skip


def test_a_critical_change_takes_three_functions_of_three_people() -> None:
    change = _critical()
    assert changes.lacking(change) == ["production", "quality", "qualified-person"]
    both = person(Role.SUPERVISOR, Role.QUALITY_ASSURANCE)
    changes.approve(change, function="production", confirmed=confirmed(both))
    with pytest.raises(changes.FunctionAgreed):
        changes.approve(change, function="quality", confirmed=confirmed(both))
    with pytest.raises(changes.NotOfFunction):
        changes.approve(change, function="qualified-person", confirmed=_quality())
    with pytest.raises(changes.NotOfFunction, match="does not need"):
        changes.approve(change, function="laboratory", confirmed=_quality())
    changes.approve(change, function="quality", confirmed=_quality())
    assert not changes.is_approved(change.number)
    _refused(change, "lacks a signed approval", state="approved")

    done = changes.approve(
        change, function="qualified-person", confirmed=confirmed(person(Role.QUALIFIED_PERSON))
    )

    assert done.state == ChangeState.APPROVED
    assert changes.is_approved(change.number)


def test_who_asks_for_a_change_does_not_agree_to_it_nor_review_it() -> None:
    change = factories.assessed_change()
    with factories.acting():
        change.requester = quality = person(Role.QUALITY_ASSURANCE)
        change.save()
    with pytest.raises(changes.ChangeOwnWork):
        changes.approve(change, function="quality", confirmed=confirmed(quality))
    with pytest.raises(IntegrityError, match="does not agree"):
        with transaction.atomic(), factories.acting():
            change.approvals.create(function="quality", approved_by=quality, approved_at=NOON)
    implemented = factories.implemented_change()
    with pytest.raises(changes.ChangeOwnWork):
        change_work.review(implemented, text=WHY, actor=implemented.requester, at=NOON)
    _refused(
        implemented, "not reviewed by who asked", state="reviewed", review="x",
        reviewed_by=implemented.requester,
    )  # fmt: skip


def test_nothing_is_done_before_the_approval() -> None:
    change = factories.assessed_change()
    task = change.tasks.get()
    with pytest.raises(change_work.ChangeTooEarly):
        change_work.finish_task(task, outcome=WHY, actor=change.requester, at=NOON)
    with pytest.raises(changes.ChangeNotApproved):
        changes.demand_approved(change.number)
    with pytest.raises(changes.ChangeNotApproved):
        changes.demand_approved("CC-1999-0001")

    changes.approve(change, function="quality", confirmed=_quality())
    with pytest.raises(ChangeIncomplete, match="1 tasks"):
        change_work.implement(
            change, effective_on=NOON.date(), actor=change.requester, at=NOON, reason=WHY
        )
    _refused(change, "tasks that are not done", state="implemented")
    change_work.finish_task(task, outcome=WHY, actor=change.requester, at=NOON)
    assert changes.demand_approved(change.number) == change


def test_an_emergency_goes_ahead_by_signature_and_is_approved_afterwards() -> None:
    change = factories.change(is_emergency=True)
    changes.add_task(
        change, text=WHY, owner=change.requester, due_on=NOON.date(), actor=change.requester,
        at=NOON,
    )  # fmt: skip
    with pytest.raises(changes.ChangeNotEmergency):
        changes.let_emergency(factories.change(), confirmed=_quality(), reason=WHY)

    changes.let_emergency(change, confirmed=_quality(), reason=WHY)

    assert changes.is_approved(change.number)
    change_work.finish_task(change.tasks.get(), outcome=WHY, actor=change.requester, at=NOON)
    late = (NOON + timedelta(days=6)).date()
    assert [one.pk for one, _, _ in changes.overdue(on=late)] == [change.pk]
    with pytest.raises(change_work.ChangeWentAhead):
        change_work.withdraw(change, actor=change.requester, at=NOON, reason=WHY)
    rejected = changes.reject(change, confirmed=_quality(), reason=WHY)
    assert not changes.is_approved(rejected.number)


def test_a_change_is_closed_after_its_review() -> None:
    change = factories.implemented_change()
    assert change.review_due_on == NOON.date() + changes.REVIEW_AFTER
    reviewed = change_work.review(
        change, text="the valve holds since", actor=person(Role.SUPERVISOR), at=NOON
    )
    _refused(reviewed, "not signed for its closure", state="closed", closed_at=NOON)

    closed = change_work.close(reviewed, confirmed=_quality(), reason=WHY)

    assert closed.state == ChangeState.CLOSED
    assert changes.is_approved(closed.number)


def test_what_an_assessed_change_is_does_not_change() -> None:
    change = factories.assessed_change()

    _refused(change, "what it is does not change", description="the whole plant is rebuilt")
    with pytest.raises(IntegrityError, match="takes no more rows"):
        with transaction.atomic(), factories.acting():
            change.impacts.update(assessment="all is well")


def test_a_major_change_refers_to_a_risk() -> None:
    wish = Wish("Another make of valve", WHY, WHY, ChangeClass.MAJOR)
    with pytest.raises(ChangeIncomplete, match="risk"):
        changes.request(wish=wish, actor=person(Role.SUPERVISOR), at=NOON)
