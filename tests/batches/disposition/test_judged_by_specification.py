"""A result that a specification judges is judged by it alone; others keep the limits of the recipe."""

from dataclasses import replace
from decimal import Decimal

import pytest

from batches.disposition import excursions, specification
from batches.laboratory import oos_conclusions
from batches.laboratory.inspection import limits
from batches.laboratory.models import Conclusion, Result
from compliance.access.duties import Role
from tests import factories
from tests.factories import NOON, SPECIFIED, confirmed

pytestmark = [pytest.mark.django_db, pytest.mark.requirement("211-160/165/166/198")]
WIDER = [replace(SPECIFIED[0], low=Decimal("2.00"), alert_low=None)]  # the recipe wants 2.5 or more


def _is_outside(result: Result) -> bool:
    stored = Result.objects.select_related("sample__batch", "test").get(pk=result.pk)
    return limits.is_outside(stored, limits.of_results([stored])[stored.pk])


def test_what_conforms_to_its_specification_is_not_outside_the_recipe() -> None:
    batch = factories.specified_batch(WIDER)

    found = factories.result(factories.sample(batch), value="2.20")

    assert list(excursions.of(batch)) == list(specification.failing(batch)) == []
    assert not _is_outside(found)


def test_what_is_out_of_specification_is_outside_though_the_recipe_has_no_such_limit() -> None:
    batch = factories.specified_batch()

    found = factories.result(factories.sample(batch), value="3.60")

    said = f"mab_g_l: 1 result outside 2.50 to 3.50 g/L, first 3.60 at {NOON.isoformat()}"
    assert [str(one) for one in excursions.of(batch)] == [said]
    assert list(specification.failing(batch)) == [
        f"{said}: the product does not meet its specification"
    ]
    assert _is_outside(found)


def test_an_oos_that_was_invalidated_with_its_cause_is_outside_no_more() -> None:
    supervisor = factories.person(Role.QC_SUPERVISOR)
    made = factories.investigated_oos(
        factories.oos_investigation(), by=supervisor, cause=factories.CAUSE
    )
    concluded = oos_conclusions.conclude(
        made, conclusion=Conclusion.INVALIDATED, confirmed=confirmed(supervisor),
        text="The sample was diluted twice as far as the method says.",
    )  # fmt: skip
    assert [one.tag for one in excursions.of(made.batch)] == ["mab_g_l"]

    oos_conclusions.close(
        concluded, confirmed=confirmed(factories.person(Role.QUALITY_ASSURANCE)),
        reason="complete, agreed",
    )  # fmt: skip

    assert list(excursions.of(made.batch)) == []


def test_a_result_that_no_test_is_for_keeps_the_limits_of_the_recipe() -> None:
    batch = factories.specified_batch()

    found = factories.result(
        factories.sample(batch), tag="lactate_mmol_l", value="71", unit="mmol/L"
    )

    assert [(one.tag, one.is_quality_attribute) for one in excursions.of(batch)] == [
        ("lactate_mmol_l", False)
    ]
    assert list(specification.failing(batch)) == []
    assert _is_outside(found)
