"""CAPA from plan to closure: the check of its effect gates, and is somebody else's."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from compliance.access.duties import Role
from compliance.quality import capas
from compliance.quality.capas import CapaIncomplete, CapaOwnWork, CapaUnanswered
from compliance.quality.models import Capa, CapaState, EffectivenessCheck
from compliance.signatures import signing
from tests import factories
from tests.factories import NOON, confirmed, person

pytestmark = pytest.mark.django_db
WHY = "as the evidence of the case says"


def _quality() -> Any:
    return confirmed(person(Role.QUALITY_ASSURANCE))


def _refused(capa: Capa, match: str, **values: Any) -> None:
    with pytest.raises(IntegrityError, match=match):
        with transaction.atomic(), factories.acting():
            Capa.objects.filter(pk=capa.pk).update(**values)


@pytest.mark.requirement("CH8")
def test_a_capa_is_closed_when_its_effect_was_seen_by_somebody_else() -> None:
    capa = factories.implemented_capa()
    with pytest.raises(CapaOwnWork):
        capas.check(capa, is_effective=True, observed=WHY, actor=capa.owner, at=NOON)

    capas.check(capa, is_effective=True, observed=WHY, actor=person(Role.QC_SUPERVISOR), at=NOON)
    closed = capas.close(capa, confirmed=_quality(), reason=WHY)

    assert (closed.state, closed.closed_at) == (CapaState.CLOSED, NOON)
    assert [one.meaning for one in signing.of(closed)] == ["approved", "closed"]
    assert all(signing.is_current(one, closed) for one in signing.of(closed))


@pytest.mark.requirement("CH8")
def test_the_database_closes_no_capa_past_its_check() -> None:
    capa = factories.implemented_capa()
    _refused(capa, "does not go from implemented to cancelled", state="cancelled")
    _refused(capa, "not signed by somebody else", state="closed", closed_at=NOON)
    _refused(capa, "has no check that says so", state="effective")
    with pytest.raises(IntegrityError, match="does not check its effect"):
        with transaction.atomic(), factories.acting():
            EffectivenessCheck.objects.create(
                capa=capa, is_effective=True, observed="x", checked_by=capa.owner, checked_at=NOON
            )
    checked = factories.checked_capa(is_effective=True)
    _refused(checked, "not signed by somebody else", state="closed", closed_at=NOON)


@pytest.mark.requirement("CH8")
def test_one_that_did_not_help_is_closed_by_an_approved_one_that_follows() -> None:
    capa = factories.checked_capa(is_effective=False)
    draft = factories.capa(follows=capa)
    with pytest.raises(CapaUnanswered):
        capas.close(capa, confirmed=_quality(), reason=WHY)

    capas.approve(draft, confirmed=_quality())

    assert capas.close(capa, confirmed=_quality(), reason=WHY).state == CapaState.CLOSED


def test_a_plan_is_approved_by_neither_its_author_nor_its_owner_and_then_stands() -> None:
    owner = person(Role.QUALITY_ASSURANCE)
    capa = factories.capa(owner=owner)
    with pytest.raises(CapaOwnWork):
        capas.approve(capa, confirmed=confirmed(owner))
    _refused(capa, "not signed by somebody else", state="approved")

    capas.approve(capa, confirmed=_quality())

    _refused(capa, "its plan is not changed", criterion="that nobody complains any more")


def test_nothing_is_implemented_while_an_action_is_not_done() -> None:
    capa = factories.approved_capa()
    action = capa.actions.get()
    with pytest.raises(CapaIncomplete, match="1 actions"):
        capas.implement(capa, actor=capa.owner, at=NOON, reason=WHY)
    _refused(capa, "actions that are not done", state="implemented")
    with pytest.raises(capas.CapaActionNotYours):
        capas.finish_action(action, evidence=WHY, actor=person(Role.SUPERVISOR), at=NOON)
    capas.finish_action(action, evidence=WHY, actor=action.owner, at=NOON)
    with pytest.raises(capas.CapaActionDone):
        capas.finish_action(action, evidence=WHY, actor=action.owner, at=NOON)
    assert capas.implement(capa, actor=capa.owner, at=NOON, reason=WHY).implemented_at == NOON


def test_a_plan_without_an_action_is_not_approved() -> None:
    capa = factories.capa()
    bare = capas.open_(
        plan=capas.Plan(
            capa.title, capa.problem, capa.kind, capa.source, capa.owner, capa.due_on,
            capa.criterion, capa.check_due_on, capa.source_text,
        ),
        actor=capa.author, at=NOON,
    )  # fmt: skip
    with pytest.raises(CapaIncomplete, match="no action"):
        capas.approve(bare, confirmed=_quality())


@pytest.mark.parametrize(
    "values",
    [
        {"criterion": "better"},
        {"problem": "bad"},
        {"source_text": ""},
        {"source": "deviation"},
        {"due_on": (NOON - timedelta(days=1)).date()},
        {"check_due_on": (NOON + timedelta(days=30)).date()},
    ],
)
def test_a_plan_says_beforehand_what_will_be_seen(values: dict[str, Any]) -> None:
    capa = factories.capa()
    plan = {
        name: getattr(capa, name)
        for name in (
            "title", "problem", "kind", "source", "owner", "due_on", "criterion", "check_due_on",
            "source_text",
        )
    }  # fmt: skip
    with pytest.raises(CapaIncomplete):
        capas.open_(plan=capas.Plan(**{**plan, **values}), actor=capa.author, at=NOON)


def test_late_work_and_a_late_check_are_found() -> None:
    approved, implemented = factories.approved_capa(), factories.implemented_capa()

    on = (NOON + timedelta(days=31)).date()
    assert [(one.pk, what) for one, _, what in capas.overdue(on=on)] == [
        (approved.pk, "implement the CAPA")
    ]
    on = (NOON + timedelta(days=121)).date()
    assert [one.pk for one, _, _ in capas.overdue(on=on)] == [approved.pk, implemented.pk]


def test_dates_go_forward_and_the_owner_does_not_set_them() -> None:
    owner = person(Role.QUALITY_ASSURANCE)
    capa = factories.approved_capa(owner=owner)
    later = {"due_on": capa.due_on + timedelta(days=1), "check_due_on": capa.check_due_on}
    with pytest.raises(CapaOwnWork):
        capas.postpone(capa, actor=owner, at=NOON, reason=WHY, **later)
    quality = person(Role.QUALITY_ASSURANCE)
    with pytest.raises(CapaIncomplete):
        capas.postpone(
            capa, due_on=capa.due_on - timedelta(days=1), check_due_on=capa.check_due_on,
            actor=quality, at=NOON, reason=WHY,
        )  # fmt: skip
    assert capas.postpone(capa, actor=quality, at=NOON, reason=WHY, **later).due_on > capa.due_on


@pytest.mark.requirement("P11-70")
def test_what_an_approved_plan_asks_for_and_what_was_done_stays_as_it_was_written() -> None:
    """The signature covers the plan; nobody rewrites the evidence of what was done under it."""
    capa = factories.approved_capa()
    action = capa.actions.get()
    for values in ({"text": "something easier"}, {"owner": person(Role.OPERATOR)}):
        with pytest.raises(IntegrityError, match="is never changed"):
            with transaction.atomic(), factories.acting():
                capa.actions.update(**values)
    capas.finish_action(action, evidence=WHY, actor=action.owner, at=NOON)

    with pytest.raises(IntegrityError, match="is done, and stays so"):
        with transaction.atomic(), factories.acting():
            capa.actions.update(evidence="another evidence")
    with pytest.raises(IntegrityError, match="takes no more rows"):
        with transaction.atomic(), factories.acting():
            EffectivenessCheck.objects.create(
                capa=capa, is_effective=True, observed="x", checked_by=person(Role.QC_SUPERVISOR),
                checked_at=NOON,
            )  # fmt: skip
