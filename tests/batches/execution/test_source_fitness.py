"""What a device posts with equipment that is not fit is kept, and flagged until it is investigated."""

from datetime import timedelta

import pytest

from batches.assets import equipment as equipment_register
from batches.assets.equipment_states import Step
from batches.assets.models import Equipment
from batches.execution import equipment_use, exceptions
from batches.execution.exceptions import DeviationNeeded
from batches.execution.models import Batch, BatchException, EventKind, ExceptionKind
from compliance.access import devices
from compliance.access.duties import Role
from compliance.access.models import Device, DeviceKind
from compliance.quality.models import Severity
from tests import factories
from tests.factories import NOON, TEST

pytestmark = [pytest.mark.django_db, pytest.mark.requirement("P11-h1")]
LATER = NOON + timedelta(days=40)  # the calibration was due after 30 days


def _device(of: Equipment, kind: DeviceKind = DeviceKind.HISTORIAN) -> Device:
    made, _ = devices.enrol(
        name=f"{kind} of {of.code}", kind=kind, actor=TEST, at=NOON, bound_to=of.code,
        reason="a device for a test",
    )  # fmt: skip
    return devices.qualify(made, actor=TEST, at=NOON, reason="qualified for a test")


def _flags(batch: Batch) -> list[BatchException]:
    return list(batch.exceptions.filter(kind=ExceptionKind.SOURCE_NOT_USABLE).order_by("pk"))


def test_readings_of_a_fit_source_are_not_flagged() -> None:
    batch = factories.running_batch()
    source = _device(factories.instrument())

    factories.stored(batch, factories.temperatures("36.8"), by=source)
    factories.stored(batch, factories.temperatures("36.8"))  # bound to nothing that is kept here

    assert _flags(batch) == []


def test_readings_after_the_calibration_was_due_are_kept_and_flagged_once() -> None:
    batch = factories.running_batch()
    source = _device(factories.instrument())

    segment = factories.stored(
        batch, factories.temperatures("36.8", since=LATER), by=source, at=LATER
    )
    factories.stored(batch, factories.temperatures("36.9", since=LATER), by=source, at=LATER)

    (flag,) = _flags(batch)
    assert batch.segments.count() == 2
    assert flag.subject == f"execution_readingsegment {segment.pk}"
    assert f"measures with {source.bound_to}: its calibration was due on 2026-04-01" in flag.text


def test_readings_of_equipment_that_was_in_use_for_another_batch_are_kept_and_flagged() -> None:
    phase, other = factories.ready_phase(), factories.running_batch()
    reactor = factories.equipment()
    source = _device(reactor)
    equipment_use.assign(
        phase, equipment=reactor, performed_at=NOON, actor=factories.person(Role.OPERATOR), at=NOON
    )

    factories.stored(phase.batch, factories.temperatures("36.8"), by=source)
    factories.stored(other, factories.temperatures("36.8"), by=source)

    assert _flags(phase.batch) == []
    (flag,) = _flags(other)
    assert f"it was in use for {phase.batch.number} then" in flag.text
    assert other.segments.count() == 1


def test_data_of_equipment_that_was_never_qualified_are_flagged() -> None:
    batch = factories.running_batch()
    source = _device(factories.registered_equipment(), DeviceKind.MES)

    factories.happened(
        batch, EventKind.MEASUREMENT, by=source, tag="temperature_c", value="36.8", unit="Cel"
    )
    factories.happened(batch, EventKind.OBSERVATION, by=source, text="no value, no doubt")

    (flag,) = _flags(batch)
    assert "it is " in flag.text
    assert batch.events.filter(kind=EventKind.MEASUREMENT).count() == 1


def test_a_result_of_an_instrument_out_of_calibration_is_kept_and_flagged() -> None:
    batch = factories.running_batch()
    source = _device(factories.instrument(), DeviceKind.LIMS)

    result = factories.result(factories.sample(batch, at=LATER), at=LATER, by=source)

    (flag,) = _flags(batch)
    assert flag.subject == f"laboratory_result {result.pk}"


def test_equipment_in_use_or_to_be_cleaned_measures_all_the_same() -> None:
    batch = factories.running_batch()
    made = factories.vessel()
    equipment_register.mark_used(
        made, purpose="batch", by_text="ada", at=NOON, actor=factories.person(Role.OPERATOR)
    )

    factories.stored(batch, factories.temperatures("36.8"), by=_device(made))

    assert _flags(batch) == []


def test_the_flag_is_assessed_with_a_deviation_and_the_next_data_are_flagged_again() -> None:
    batch = factories.running_batch()
    source = _device(factories.instrument())
    factories.stored(batch, factories.temperatures("36.8", since=LATER), by=source, at=LATER)
    (flag,) = _flags(batch)
    quality = factories.confirmed(factories.person(Role.QUALITY_ASSURANCE), at=LATER)
    with pytest.raises(DeviationNeeded):
        exceptions.assess(flag, confirmed=quality, assessment="it will have been right")

    deviation = factories.deviation(batch, severity=Severity.MAJOR, at=LATER)
    exceptions.link(flag, deviation=deviation, actor=quality.signer, at=LATER)
    exceptions.assess(flag, confirmed=quality, assessment="the calibration found it good")
    factories.stored(
        batch, factories.temperatures("36.8", since=LATER + timedelta(hours=1)), by=source,
        at=LATER + timedelta(hours=2),
    )  # fmt: skip

    assert len(_flags(batch)) == 2


def test_data_are_judged_by_the_state_of_their_moment_not_by_the_present_one() -> None:
    batch = factories.running_batch()
    balance = factories.instrument()
    source = _device(balance)
    early, late = LATER - timedelta(days=20), LATER
    factories.calibrated(balance, at=LATER + timedelta(hours=1))  # after the data, and good
    now = LATER + timedelta(hours=2)

    factories.stored(batch, factories.temperatures("36.8", since=early), by=source, at=now)
    assert _flags(batch) == []
    factories.stored(batch, factories.temperatures("36.8", since=late), by=source, at=now)

    (flag,) = _flags(batch)
    assert "its calibration was due on 2026-04-01" in flag.text


def test_what_is_taken_out_of_service_later_does_not_spoil_earlier_data() -> None:
    batch = factories.running_batch()
    balance = factories.instrument()
    source = _device(balance)
    equipment_register.set_state(
        balance, Step.TAKE_OUT, actor=factories.person(Role.MAINTENANCE),
        at=NOON + timedelta(hours=2), reason="the display flickers",
    )  # fmt: skip
    now = NOON + timedelta(hours=3)

    factories.stored(
        batch, factories.temperatures("36.8", since=NOON + timedelta(hours=1)), by=source, at=now
    )
    assert _flags(batch) == []
    factories.stored(batch, factories.temperatures("36.8", since=now), by=source, at=now)

    (flag,) = _flags(batch)
    assert "it is out of service" in flag.text


def test_data_from_before_the_equipment_was_registered_are_in_doubt() -> None:
    before = NOON - timedelta(hours=1)
    batch = factories.running_batch(at=before)
    source = _device(factories.instrument())

    factories.stored(batch, factories.temperatures("36.8", since=before), by=source)

    (flag,) = _flags(batch)
    assert "it was not registered then" in flag.text
