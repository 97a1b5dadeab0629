"""Instruments are calibrated in time, and a bad calibration names every use that it puts in doubt."""

from datetime import datetime, timedelta

import pytest

from batches.assets import calibrations, equipment
from batches.assets.calibrations import CalibrationInvalid, CalibrationVerified, PerformerVerifies
from batches.assets.equipment import EquipmentNotUsable
from batches.assets.models import Equipment, EquipmentState, EquipmentUse
from compliance.access.authority import NotPermitted
from compliance.access.duties import Role
from compliance.quality.models import Severity
from tests import factories
from tests.factories import NOON

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def weighed(on: Equipment, *, at: datetime) -> EquipmentUse:
    return equipment.mark_used(
        on, purpose=f"weighing of {at:%d %b}", by_text="om", at=at, used_until=at,
        actor=factories.person(Role.OPERATOR),
    )  # fmt: skip


def impact(of: Equipment, *, at: datetime) -> list[EquipmentUse]:
    of.refresh_from_db()
    return list(calibrations.impact(of, at=at))


def test_a_calibration_holds_only_after_a_second_person_checked_it() -> None:
    balance = factories.equipment(calibration_interval_days=30)
    made = factories.calibrated(balance)
    both = made.performed_by

    with pytest.raises(CalibrationVerified):
        calibrations.verify(made, actor=both, at=NOON, reason="read the certificate again")

    balance.refresh_from_db()
    assert balance.calibration_due_on == (NOON + 30 * DAY).date()


def test_whoever_calibrated_does_not_verify() -> None:
    balance = factories.equipment(calibration_interval_days=30)
    somebody = factories.person(Role.MAINTENANCE)
    measured = calibrations.Measured(
        performed_at=NOON, as_found="ok", as_found_in_tolerance=True, as_left="ok",
        as_left_in_tolerance=True, reference_standard="W-100", certificate="C-1",
    )  # fmt: skip
    made = calibrations.record(balance, measured=measured, actor=somebody, at=NOON)

    with pytest.raises(PerformerVerifies):
        calibrations.verify(made, actor=somebody, at=NOON, reason="it is certainly right")
    with pytest.raises(EquipmentNotUsable, match="no calibration in force"):
        equipment.demand_usable(balance, at=NOON)


def test_an_operator_does_not_calibrate() -> None:
    with pytest.raises(NotPermitted):
        calibrations.verify(
            factories.calibrated(factories.equipment(calibration_interval_days=30)),
            actor=factories.person(Role.OPERATOR), at=NOON, reason="read the certificate",
        )  # fmt: skip


def test_what_is_no_instrument_is_not_calibrated() -> None:
    with pytest.raises(CalibrationInvalid, match="no instrument"):
        factories.calibrated(factories.equipment())


def test_uses_within_the_interval_are_in_no_doubt() -> None:
    balance = factories.instrument(days=30)
    weighed(balance, at=NOON + DAY)
    weighed(balance, at=NOON + 30 * DAY)

    assert impact(balance, at=NOON + 40 * DAY) == []


@pytest.mark.requirement("211-68a")
def test_a_backdated_due_date_flags_every_use_since() -> None:
    balance = factories.instrument(days=30)
    good = calibrations.last_good(balance)
    uses = [weighed(balance, at=NOON + days * DAY) for days in (1, 10, 11, 20)]

    shortened = calibrations.shorten(
        good, due_on=(NOON + 10 * DAY).date(), actor=factories.person(Role.QUALITY_ASSURANCE),
        at=NOON + 21 * DAY, reason="the interval of this class is ten days",
    )  # fmt: skip

    assert impact(balance, at=NOON + 21 * DAY) == uses[2:]
    assert shortened.deviation is not None
    assert "2 uses in doubt" in shortened.deviation.title
    with pytest.raises(EquipmentNotUsable, match="calibration was due"):
        weighed(balance, at=NOON + 21 * DAY)


@pytest.mark.requirement("211-68a")
def test_use_after_the_due_date_is_refused_at_entry() -> None:
    balance = factories.instrument(days=30)

    with pytest.raises(EquipmentNotUsable, match="calibration was due"):
        weighed(balance, at=NOON + 31 * DAY)


@pytest.mark.requirement("211-68a")
def test_found_out_of_tolerance_flags_every_use_since_the_last_good_calibration() -> None:
    balance = factories.instrument(days=30)
    weighed(balance, at=NOON + DAY)
    factories.calibrated(balance, at=NOON + 5 * DAY)
    doubtful = [weighed(balance, at=NOON + days * DAY) for days in (6, 7)]

    bad = factories.calibrated(balance, found_good=False, at=NOON + 8 * DAY)
    later = weighed(balance, at=NOON + 9 * DAY)

    assert impact(balance, at=NOON + 10 * DAY) == doubtful
    assert later not in impact(balance, at=NOON + 10 * DAY)
    assert bad.deviation is not None
    assert bad.deviation.severity == Severity.MAJOR
    assert all(use.purpose in bad.deviation.description for use in doubtful)


def test_a_use_that_goes_on_past_the_due_date_is_in_doubt() -> None:
    probe = factories.instrument(days=10)
    use = equipment.mark_used(
        probe, purpose="batch B-1, Growth", by_text="om", at=NOON + 9 * DAY,
        actor=factories.person(Role.OPERATOR),
    )  # fmt: skip

    assert impact(probe, at=NOON + 10 * DAY) == []
    assert impact(probe, at=NOON + 11 * DAY) == [use]


def test_left_out_of_tolerance_takes_the_instrument_out_of_service() -> None:
    balance = factories.instrument()

    factories.calibrated(balance, found_good=False, left_good=False, at=NOON + DAY)

    balance.refresh_from_db()
    assert balance.state == EquipmentState.OUT_OF_SERVICE
    assert balance.calibration_due_on is None


def test_overdue_instruments_are_listed_and_those_in_time_are_not() -> None:
    late = factories.instrument(days=5)
    never = factories.registered_equipment(calibration_interval_days=5)
    factories.instrument(days=50)

    found = list(calibrations.overdue(on=(NOON + 6 * DAY).date()))

    assert found == [never, late]


def test_a_calibration_is_shortened_and_never_lengthened() -> None:
    good = calibrations.last_good(factories.instrument(days=30))

    with pytest.raises(CalibrationInvalid, match="earlier day"):
        calibrations.shorten(
            good, due_on=(NOON + 31 * DAY).date(), actor=factories.person(Role.QUALITY_ASSURANCE),
            at=NOON + HOUR, reason="there is no time for it this month",
        )  # fmt: skip
