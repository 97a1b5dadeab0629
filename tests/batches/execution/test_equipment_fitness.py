"""EQ-01: the inspector asks for equipment that a batch used while its calibration or service was due."""

from datetime import datetime, timedelta

import pytest
from django.test import Client

from batches.assets import equipment, upkeep
from batches.assets.models import Equipment
from batches.execution.models import Batch
from compliance.access.duties import Role
from compliance.inspection import snapshots
from compliance.inspection.models import Verdict
from compliance.inspection.outcomes import Outcome
from compliance.inspection.registry import CHECKS
from compliance.inspection.snapshots import Snapshot
from tests import factories
from tests.factories import NOON

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def _used(of: Equipment, batch: Batch, *, until: datetime) -> None:
    equipment.mark_used(
        of, purpose=f"batch {batch.number}", campaign=batch.number, by_text="log book",
        used_from=NOON, used_until=until, actor=factories.person(Role.OPERATOR), at=until,
    )  # fmt: skip


def _snapshot(batch: Batch) -> Snapshot:
    return snapshots.take(scope=[batch.number], as_of=NOON + 60 * DAY)


def _asked(batch: Batch) -> Outcome:
    return CHECKS["EQ-01"](_snapshot(batch), {})


def test_a_use_beyond_the_calibration_is_a_finding() -> None:
    batch = factories.running_batch()
    meter = factories.instrument(days=10)
    _used(meter, batch, until=NOON + 12 * DAY)

    found = _asked(batch)

    assert (found.verdict, found.examined, found.failing) == (Verdict.FINDING, 1, 1)
    [fact] = found.facts
    assert f"Batch {batch.number}: {meter.code}" in fact.text
    assert "its calibration held until 2026-03-12 only" in fact.text
    assert fact.text.endswith(f"No deviation of the batch names {meter.code}.")
    assert fact.batches == {batch.number}


def test_a_use_that_the_calibration_covers_is_clean() -> None:
    batch = factories.running_batch()
    _used(factories.instrument(days=10), batch, until=NOON + 9 * DAY)

    assert _asked(batch).verdict == Verdict.CLEAN


def test_a_service_that_fell_due_during_the_use_is_a_finding_until_a_deviation_names_it() -> None:
    batch = factories.running_batch()
    pump = factories.equipment(service_after_hours=48)
    _used(pump, batch, until=NOON + 3 * DAY)

    found = _asked(batch)
    factories.deviation(batch, title=f"Pump {pump.code} delivered too little")
    named = _asked(batch)

    assert "its service after 48 running hours was due at 2026-03-04 12:00" in found.facts[0].text
    assert named.verdict == Verdict.CLEAN
    assert f"Covered by a deviation: Batch {batch.number}: {pump.code}" in named.remark


def test_a_service_after_the_use_makes_up_for_nothing_in_it() -> None:
    batch = factories.running_batch()
    pump = factories.equipment(service_after_hours=48)
    _used(pump, batch, until=NOON + 3 * DAY)
    upkeep.service(
        pump,
        actor=factories.person(Role.MAINTENANCE),
        at=NOON + 4 * DAY,
        reason="the yearly service",
    )

    [fact] = _asked(batch).facts

    assert "its service after 48 running hours was due at 2026-03-04 12:00" in fact.text


def test_a_code_within_another_does_not_cover_it() -> None:
    batch = factories.running_batch()
    pump = factories.equipment(service_after_hours=48)
    _used(pump, batch, until=NOON + 3 * DAY)
    factories.deviation(batch, title=f"Pump {pump.code}-2 delivered too little")

    assert _asked(batch).verdict == Verdict.FINDING


def test_equipment_that_nobody_calibrates_or_services_is_not_asked_for() -> None:
    batch = factories.running_batch()
    _used(factories.equipment(), batch, until=NOON + 3 * DAY)

    assert _asked(batch).verdict == Verdict.NOT_APPLICABLE


def test_the_page_of_a_batch_shows_its_genealogy_and_equipment(client: Client) -> None:
    line = factories.ready_phase().batch.materials.get(line=1)
    lot = factories.lot_for(line)
    factories.charge(line, net="10", lot=lot)
    meter = factories.instrument(days=10)
    _used(meter, line.batch, until=NOON + DAY)
    client.force_login(factories.person(Role.QUALITY_ASSURANCE))

    page = client.get(f"/admin/execution/batch/{line.batch.pk}/change/").content.decode()
    of_lot = client.get(f"/admin/assets/materiallot/{lot.pk}/change/").content.decode()

    assert 'id="genealogy"' in page
    assert lot.number in page
    assert meter.code in page
    assert "Batches it went into" in of_lot
    assert line.batch.number in of_lot
