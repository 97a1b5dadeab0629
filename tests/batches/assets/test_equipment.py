"""Equipment is used only while it is qualified, calibrated and clean."""

from datetime import timedelta

import pytest

from batches.assets import equipment, running_hours, upkeep
from batches.assets.equipment import EquipmentInvalid, EquipmentKnown, EquipmentNotUsable
from batches.assets.equipment_states import Step
from batches.assets.models import CleaningState, Equipment, EquipmentUse
from compliance.access.authority import NotPermitted
from compliance.access.duties import Role
from compliance.access.models import User
from tests import factories
from tests.factories import NOON

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def used(
    which: Equipment, by: User, *, at=NOON, purpose="batch B-1, Growth", **said: object
) -> EquipmentUse:
    return equipment.mark_used(which, purpose=purpose, by_text="om", at=at, actor=by, **said)


@pytest.fixture
def operator() -> User:
    return factories.person(Role.OPERATOR)


def test_equipment_in_qualification_is_not_used() -> None:
    new = factories.registered_equipment()

    with pytest.raises(EquipmentNotUsable, match="in qualification"):
        equipment.demand_usable(new, at=NOON)


def test_everything_that_stands_against_a_use_is_said_at_once() -> None:
    new = factories.registered_equipment(calibration_interval_days=30, is_cleaned=True)

    assert equipment.objections(new, at=NOON) == [
        "it is in qualification", "it has no calibration in force", "it is to be cleaned",
    ]  # fmt: skip


def test_qualified_equipment_is_used_and_its_use_is_recorded(operator: User) -> None:
    ready = factories.equipment()

    use = used(ready, operator)

    assert list(equipment.uses_since(ready, NOON)) == [use]
    assert (use.used_from, use.used_until, use.used_by) == (NOON, None, "om")


def test_a_device_that_posts_execution_records_uses() -> None:
    use = equipment.mark_used(
        factories.equipment(), purpose="batch B-1", by_text="MES", at=NOON, actor=factories.device()
    )

    assert use.used_by == "MES"


def test_the_warehouse_does_not_use_equipment() -> None:
    with pytest.raises(NotPermitted):
        used(factories.equipment(), factories.person(Role.WAREHOUSE))


def test_a_code_is_given_once() -> None:
    known = factories.registered_equipment()

    with pytest.raises(EquipmentKnown):
        factories.registered_equipment(code=known.code)


@pytest.mark.parametrize("empty", ["name", "location", "serial_number"])
def test_equipment_without_its_particulars_is_refused(empty: str) -> None:
    with pytest.raises(EquipmentInvalid, match=empty.replace("_", " ")):
        factories.registered_equipment(**{empty: ""})


def test_an_instrument_is_used_on_its_due_day_and_not_on_the_next() -> None:
    balance = factories.instrument(days=30)

    equipment.demand_usable(balance, at=NOON + 30 * DAY)
    with pytest.raises(EquipmentNotUsable, match="calibration was due on 2026-04-01"):
        equipment.demand_usable(balance, at=NOON + 31 * DAY)


def test_a_use_makes_equipment_to_be_cleaned(operator: User) -> None:
    vessel = factories.vessel()

    used(vessel, operator)

    vessel.refresh_from_db()
    assert vessel.cleaning_state == CleaningState.TO_BE_CLEANED


def test_dirty_equipment_is_not_used_for_something_else(operator: User) -> None:
    vessel = factories.vessel()
    equipment.end_use(used(vessel, operator), at=NOON + HOUR, actor=operator)

    with pytest.raises(EquipmentNotUsable, match="it is to be cleaned"):
        used(vessel, operator, at=NOON + 2 * HOUR, purpose="batch B-2")


def test_phases_of_one_campaign_follow_each_other_without_a_cleaning(operator: User) -> None:
    vessel = factories.vessel()
    first = used(vessel, operator, campaign="B-1")
    equipment.end_use(first, at=NOON + HOUR, actor=operator)

    second = used(vessel, operator, at=NOON + HOUR, purpose="batch B-1, Harvest", campaign="B-1")

    assert second.pk != first.pk


def test_a_use_under_way_of_the_same_campaign_goes_on(operator: User) -> None:
    vessel = factories.vessel()

    first = used(vessel, operator, campaign="B-1")

    assert used(vessel, operator, at=NOON + HOUR, campaign="B-1") == first


def test_what_is_in_use_is_not_used_by_another(operator: User) -> None:
    balance = factories.equipment()
    used(balance, operator)

    with pytest.raises(EquipmentNotUsable, match="in use for batch B-1"):
        used(balance, operator, at=NOON + HOUR, purpose="batch B-2")


def test_a_clean_hold_time_that_ended_refuses_the_use(operator: User) -> None:
    vessel = factories.vessel(clean_hold_hours=72)

    equipment.demand_usable(vessel, at=NOON + 72 * HOUR)
    with pytest.raises(EquipmentNotUsable, match="clean-hold time ended"):
        used(vessel, operator, at=NOON + 72 * HOUR + timedelta(seconds=1))


def test_a_use_before_the_last_cleaning_is_not_entered_as_after_it(operator: User) -> None:
    vessel = factories.vessel()

    with pytest.raises(EquipmentNotUsable, match="after that moment"):
        used(vessel, operator, used_from=NOON - HOUR)


def test_a_use_in_the_future_is_refused(operator: User) -> None:
    with pytest.raises(EquipmentInvalid, match="future"):
        used(factories.equipment(), operator, used_from=NOON + HOUR)


def test_a_use_says_what_for(operator: User) -> None:
    with pytest.raises(EquipmentInvalid, match="what it is used for"):
        used(factories.equipment(), operator, purpose=" ")


def test_a_use_ends_once_and_after_it_began(operator: User) -> None:
    use = used(factories.equipment(), operator)

    with pytest.raises(EquipmentInvalid):
        equipment.end_use(use, at=NOON + HOUR, actor=operator, used_until=NOON - HOUR)
    equipment.end_use(use, at=NOON + HOUR, actor=operator)
    with pytest.raises(EquipmentInvalid, match="already"):
        equipment.end_use(use, at=NOON + 2 * HOUR, actor=operator)


def test_uses_since_a_moment_include_the_one_that_was_under_way(operator: User) -> None:
    balance = factories.equipment()
    early = used(balance, operator, used_until=NOON)
    under_way = used(balance, operator, at=NOON + HOUR, used_until=NOON + HOUR)
    under_way_until = used(balance, operator, at=NOON + 2 * HOUR)

    found = list(equipment.uses_since(balance, NOON + HOUR))

    assert found == [under_way, under_way_until]
    assert list(equipment.uses_since(balance, None)) == [early, under_way, under_way_until]


def test_what_quality_no_longer_trusts_is_qualified_anew() -> None:
    ready = factories.equipment()
    quality = factories.person(Role.QUALITY_ASSURANCE)

    equipment.set_state(
        ready, Step.WITHDRAW, actor=quality, at=NOON + HOUR, reason="vibration was measured"
    )

    with pytest.raises(EquipmentNotUsable, match="in qualification"):
        equipment.demand_usable(ready, at=NOON + HOUR)


def test_running_hours_count_since_the_last_service(operator: User) -> None:
    pump = factories.equipment(service_after_hours=10)
    used(pump, operator, at=NOON + 8 * HOUR, used_from=NOON, used_until=NOON + 8 * HOUR)
    upkeep.service(
        pump, actor=factories.person(Role.MAINTENANCE), at=NOON + 9 * HOUR,
        reason="seals replaced as planned",
    )  # fmt: skip
    pump.refresh_from_db()

    used(pump, operator, at=NOON + 10 * HOUR)

    assert str(running_hours.in_hours(pump, at=NOON + 13 * HOUR)) == "3.00"
    assert not running_hours.is_service_due(pump, at=NOON + 13 * HOUR)
    assert running_hours.is_service_due(pump, at=NOON + 20 * HOUR)


def test_an_instrument_stays_an_instrument() -> None:
    balance = factories.instrument()
    needs = upkeep.Needs(
        location="Suite 2", calibration_interval_days=None, dirty_hold_hours=None,
        clean_hold_hours=None, service_after_hours=None,
    )  # fmt: skip

    with pytest.raises(EquipmentInvalid, match="is an instrument"):
        upkeep.amend(
            balance, needs=needs, actor=factories.person(Role.MAINTENANCE), at=NOON,
            reason="moved to the second suite",
        )  # fmt: skip
