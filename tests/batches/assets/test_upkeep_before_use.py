"""Equipment whose service is due, or that was not changed over, is refused; the past is as it was."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from batches.assets import equipment, past_states, upkeep
from batches.assets.actions import Action
from batches.assets.equipment import EquipmentNotUsable
from batches.assets.equipment_states import Step
from batches.assets.models import Equipment, EquipmentUse
from compliance.access.duties import Role
from compliance.access.models import User
from compliance.trail import recording
from tests import factories
from tests.factories import NOON, TEST

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def operator() -> User:
    return factories.person(Role.OPERATOR)


def _use(
    which: Equipment, operator: User, *, hours: tuple[float, float], product: str = "",
    campaign: str = "",
) -> EquipmentUse:  # fmt: skip
    begin, end = (NOON + one * HOUR for one in hours)
    return equipment.mark_used(
        which, purpose="batch B-1", by_text="om", at=end, actor=operator, used_from=begin,
        used_until=end, product=product, campaign=campaign,
    )  # fmt: skip


@contextmanager
def _refused_by_the_database(words: str) -> Iterator[None]:
    with pytest.raises(IntegrityError, match=words), transaction.atomic():
        with recording.recording(
            Action.EQUIPMENT_USED, actor=TEST, at=NOON, reason="an attempt around the rules"
        ):
            yield


def _row(which: Equipment, at: datetime, **said: str) -> EquipmentUse:
    return EquipmentUse(
        equipment=which, purpose="batch B-2", used_from=at, used_until=at, used_by="om",
        recorded_at=at, **said,
    )  # fmt: skip


# --- Service


@pytest.mark.requirement("P11-h1")
def test_equipment_whose_service_is_due_is_refused_until_it_is_serviced(operator: User) -> None:
    pump = factories.equipment(service_after_hours=8)
    _use(pump, operator, hours=(0, 7.5))
    _use(pump, operator, hours=(7.5, 8))

    with pytest.raises(EquipmentNotUsable, match="service is due after 8 running hours, it has 8"):
        _use(pump, operator, hours=(9, 10))
    with _refused_by_the_database("whose service is due is not used"):
        _row(pump, NOON + 9 * HOUR).save()
    upkeep.service(
        pump, actor=factories.person(Role.MAINTENANCE), at=NOON + 9 * HOUR, reason="seals replaced"
    )

    assert _use(pump, operator, hours=(9.5, 10)).pk


def test_a_minute_before_its_service_is_due_it_is_used(operator: User) -> None:
    pump = factories.equipment(service_after_hours=8)
    _use(pump, operator, hours=(0, 7.98))

    assert _use(pump, operator, hours=(8, 12)).pk


def test_a_campaign_that_is_under_way_is_ended(operator: User) -> None:
    pump = factories.equipment(service_after_hours=8)
    _use(pump, operator, hours=(0, 9), campaign="B-1")

    assert _use(pump, operator, hours=(9, 10), campaign="B-1").pk
    with pytest.raises(EquipmentNotUsable, match="service is due"):
        _use(pump, operator, hours=(10, 11), campaign="B-2")


# --- Changeover


def test_between_two_products_it_takes_a_cleaning_for_the_next_one(operator: User) -> None:
    vessel = factories.vessel(clean_hold_hours=None)
    _use(vessel, operator, hours=(0, 1), product="A")
    factories.cleaned(vessel, at=NOON + 2 * HOUR)

    with pytest.raises(EquipmentNotUsable, match="a changeover cleaning from A to B is missing"):
        _use(vessel, operator, hours=(3, 4), product="B")
    with _refused_by_the_database("cleaned for another product before it is used for it"):
        _row(vessel, NOON + 3 * HOUR, product="B").save()
    factories.cleaned(vessel, at=NOON + 3 * HOUR, next_product="C")
    with pytest.raises(EquipmentNotUsable, match="changeover cleaning from A to B"):
        _use(vessel, operator, hours=(4, 5), product="B")
    factories.cleaned(vessel, at=NOON + 5 * HOUR, next_product="B")

    assert _use(vessel, operator, hours=(6, 7), product="B").pk


def test_the_same_product_again_takes_no_changeover(operator: User) -> None:
    vessel = factories.vessel(clean_hold_hours=None)
    _use(vessel, operator, hours=(0, 1), product="A")
    factories.cleaned(vessel, at=NOON + 2 * HOUR)

    assert _use(vessel, operator, hours=(3, 4), product="A").pk


def test_a_use_without_a_product_between_hides_no_missing_changeover(operator: User) -> None:
    vessel = factories.vessel(clean_hold_hours=None)
    _use(vessel, operator, hours=(0, 1), product="A")
    factories.cleaned(vessel, at=NOON + 2 * HOUR)
    _use(vessel, operator, hours=(3, 4))
    factories.cleaned(vessel, at=NOON + 5 * HOUR)

    with pytest.raises(EquipmentNotUsable, match="a changeover cleaning from A to B is missing"):
        _use(vessel, operator, hours=(6, 7), product="B")


# --- The past


def test_equipment_is_told_as_it_was_at_a_moment() -> None:
    registered = factories.registered_equipment(at=NOON, calibration_interval_days=30)
    factories.qualified(registered, at=NOON + HOUR)
    factories.calibrated(registered, at=NOON + 2 * HOUR)
    equipment.set_state(
        registered, Step.TAKE_OUT, actor=factories.person(Role.MAINTENANCE), at=NOON + 3 * HOUR,
        reason="the display flickers",
    )  # fmt: skip

    def state(hours: float) -> tuple[str, object] | None:
        past = past_states.at_moment(registered, at=NOON + hours * HOUR)
        return past and (past.state, past.calibration_due_on)

    due = (NOON + 2 * HOUR + timedelta(days=30)).date()
    assert state(-1) is None
    assert state(0.5) == ("in-qualification", None)
    assert state(1.5) == ("qualified", None)
    assert state(2.5) == ("qualified", due)
    assert state(3.5) == ("out-of-service", due)
