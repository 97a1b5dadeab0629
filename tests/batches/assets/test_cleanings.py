"""A cleaning is done by one person and verified by another, within its hold times."""

from dataclasses import replace
from datetime import timedelta

import pytest

from batches.assets import cleanings, equipment
from batches.assets.cleanings import CleanerVerifies, CleaningInvalid, EquipmentInUse, Method
from batches.assets.equipment import EquipmentNotUsable
from batches.assets.models import CleaningOutcome, CleaningState, Equipment
from compliance.access.duties import Role
from compliance.access.training import NotTrained
from tests import factories
from tests.factories import NOON

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def method() -> Method:
    return Method(procedure=factories.procedure())


def dirty(*, hours: int = 1, product: str = "PRODUCT-A") -> Equipment:
    """Return a vessel that was used from noon for so many hours."""
    vessel = factories.vessel()
    equipment.mark_used(
        vessel, purpose="batch B-1", by_text="om", at=NOON + hours * HOUR, used_from=NOON,
        used_until=NOON + hours * HOUR, product=product, actor=factories.person(Role.OPERATOR),
    )  # fmt: skip
    return vessel


@pytest.mark.requirement("211-188")
def test_cleaned_and_verified_equipment_is_usable_again() -> None:
    vessel = dirty()

    factories.cleaned(vessel, at=NOON + 2 * HOUR)

    vessel.refresh_from_db()
    assert vessel.clean_until == NOON + 74 * HOUR
    equipment.demand_usable(vessel, at=NOON + 3 * HOUR)


def test_equipment_is_not_clean_before_the_verification() -> None:
    vessel = dirty()

    factories.finished_cleaning(vessel, at=NOON + 2 * HOUR)

    with pytest.raises(EquipmentNotUsable, match="in cleaning"):
        equipment.demand_usable(vessel, at=NOON + 3 * HOUR)


def test_whoever_cleaned_does_not_verify() -> None:
    made = factories.finished_cleaning(dirty(), at=NOON + 2 * HOUR)

    with pytest.raises(CleanerVerifies):
        cleanings.verify(
            made, is_clean=True, actor=made.performed_by, at=NOON + 2 * HOUR,
            reason="it looks clean to me",
        )  # fmt: skip


def test_a_cleaning_that_failed_leaves_the_equipment_to_be_cleaned() -> None:
    vessel = dirty()
    made = factories.finished_cleaning(vessel, at=NOON + 2 * HOUR)

    failed = cleanings.verify(
        made, is_clean=False, actor=factories.person(Role.OPERATOR, at=NOON + 2 * HOUR),
        at=NOON + 2 * HOUR, reason="residue below the sparger",
    )  # fmt: skip

    vessel.refresh_from_db()
    assert failed.outcome == CleaningOutcome.FAILED
    assert vessel.cleaning_state == CleaningState.TO_BE_CLEANED


def test_a_cleaning_after_the_dirty_hold_time_needs_a_remark_and_is_marked(
    method: Method,
) -> None:
    vessel = dirty(hours=1)
    operator = factories.person(Role.OPERATOR)
    late = NOON + 25 * HOUR + timedelta(seconds=1)

    with pytest.raises(CleaningInvalid, match="dirty-hold time of 24 hours is exceeded"):
        cleanings.start(vessel, method=method, actor=operator, at=late)
    made = cleanings.start(
        vessel, actor=operator, at=late,
        method=replace(method, remark="see DEV-2026-0001"),
    )  # fmt: skip

    assert made.is_dirty_hold_exceeded


def test_a_cleaning_within_the_dirty_hold_time_is_not_marked(method: Method) -> None:
    made = cleanings.start(
        dirty(hours=1), method=method, actor=factories.person(Role.OPERATOR), at=NOON + 25 * HOUR
    )

    assert not made.is_dirty_hold_exceeded


def test_a_changeover_names_both_products() -> None:
    made = factories.cleaned(dirty(product="PRODUCT-A"), at=NOON + HOUR, next_product="PRODUCT-B")

    assert made.is_changeover
    assert (made.previous_product, made.next_product) == ("PRODUCT-A", "PRODUCT-B")


def test_equipment_in_use_is_not_cleaned(method: Method) -> None:
    vessel = factories.vessel()
    operator = factories.person(Role.OPERATOR)
    equipment.mark_used(vessel, purpose="batch B-1", by_text="om", at=NOON, actor=operator)

    with pytest.raises(EquipmentInUse, match="in use for batch B-1"):
        cleanings.start(vessel, method=method, actor=operator, at=NOON + HOUR)


def test_only_who_is_trained_in_the_effective_version_cleans_and_verifies(method: Method) -> None:
    vessel = dirty()
    untrained = factories.person(Role.OPERATOR, is_trained=False)

    with pytest.raises(NotTrained):
        cleanings.start(vessel, method=method, actor=untrained, at=NOON + HOUR)
    made = factories.finished_cleaning(vessel, at=NOON + HOUR)
    with pytest.raises(NotTrained):
        cleanings.verify(
            made, is_clean=True, actor=untrained, at=NOON + HOUR, reason="no residue was seen"
        )


def test_only_whoever_cleans_finishes_it(method: Method) -> None:
    made = cleanings.start(
        dirty(), method=method, actor=factories.person(Role.OPERATOR), at=NOON + HOUR
    )

    with pytest.raises(CleaningInvalid, match="whoever cleans"):
        cleanings.finish(made, actor=factories.person(Role.OPERATOR), at=NOON + 2 * HOUR)


def test_a_cleaning_that_was_broken_off_is_ended_as_not_clean(method: Method) -> None:
    vessel = dirty()
    made = cleanings.start(
        vessel, method=method, actor=factories.person(Role.OPERATOR), at=NOON + HOUR
    )
    other = factories.person(Role.OPERATOR)

    with pytest.raises(CleaningInvalid, match="not finished"):
        cleanings.verify(
            made, is_clean=True, actor=other, at=NOON + 2 * HOUR, reason="it looks clean"
        )
    failed = cleanings.verify(
        made, is_clean=False, actor=other, at=NOON + 2 * HOUR, reason="the cleaner was called away"
    )

    vessel.refresh_from_db()
    assert (failed.outcome, vessel.cleaning_state) == ("failed", "to-be-cleaned")
