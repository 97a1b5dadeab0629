"""An investigation extends to batches that share equipment or a material lot, and says why."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client

from batches.assets import calibrations, lots
from batches.assets.calibrations import Measured
from batches.execution import equipment_use, genealogy
from batches.execution.models import Batch, BatchMaterial, EventKind
from batches.recipes.drafts import MaterialDraft
from batches.recipes.models import MaterialKind
from compliance.access.duties import Role
from compliance.quality import scope
from compliance.quality.models import Deviation
from tests import factories
from tests.factories import NOON

pytestmark = [pytest.mark.django_db, pytest.mark.requirement("211-192")]
DAY = timedelta(days=1)


def _named(deviation: Deviation) -> dict[str, str]:
    return {one.name: one.because for one in scope.suggested(deviation)}


def _posted(batch: Batch, kind: EventKind, at: object = NOON, **details: str) -> None:
    factories.happened(batch, kind, at=at, details=details)


def test_batches_that_used_the_same_equipment_within_thirty_days_are_neighbours() -> None:
    batch, near, far, other = (
        factories.running_batch(at=NOON + days * DAY) for days in (0, 20, 40, 0)
    )
    for one, days in ((batch, 0), (near, 20), (far, 40)):
        _posted(one, EventKind.OBSERVATION, NOON + days * DAY, equipment="BR-7")
    _posted(other, EventKind.OBSERVATION, equipment="BR-77")

    found = _named(factories.deviation(batch))

    assert found == {near.number: f"used BR-7 within 30 days of {batch.number}"}


def test_equipment_that_people_took_counts_as_well() -> None:
    first = factories.ready_phase()
    pump = factories.equipment()
    used = {"performed_at": NOON, "at": NOON, "actor": factories.person(Role.OPERATOR)}
    assigned = equipment_use.assign(first, equipment=pump, **used)
    equipment_use.give_back(assigned, actor=used["actor"], at=NOON)
    second = factories.ready_phase()
    equipment_use.assign(second, equipment=pump, **used)

    assert _named(factories.deviation(first.batch)) == {
        second.batch.number: f"used {pump.code} within 30 days of {first.batch.number}"
    }


def test_a_calibration_that_fails_names_the_batches_weighed_on_the_scale_since_the_last_good_one(
    client: Client,
) -> None:
    scale = factories.instrument()
    phase = factories.ready_phase()
    line = phase.batch.materials.select_related("phase__batch", "batch").get(line=1)
    later = NOON + 2 * DAY
    factories.charge(line, net="10", scale=scale, at=NOON + timedelta(minutes=5))
    tech, checker = factories.person(Role.MAINTENANCE), factories.person(Role.MAINTENANCE)
    measured = Measured(
        performed_at=later, as_found="104 g of 100 g", as_found_in_tolerance=False,
        as_left="100.0 g of 100 g", as_left_in_tolerance=True, reference_standard="W-100",
        certificate="C-BAD",
    )  # fmt: skip
    made = calibrations.record(scale, measured=measured, actor=tech, at=later)
    calibrations.verify(made, actor=checker, at=later, reason="certificate read and compared")
    made.refresh_from_db()

    found = _named(made.deviation)

    because = f"used {scale.code}, which calibration C-BAD leaves in doubt"
    assert found == {phase.batch.number: because}
    client.force_login(factories.person(Role.PROCESS_ENGINEER))
    extended = client.post(
        f"/api/v1/deviations/{made.deviation.number}/scope", {}, content_type="application/json"
    )
    assert [one["because"] for one in extended.json()] == [because]
    page = client.get(f"/admin/quality/deviation/{made.deviation_id}/change/")
    assert because in page.content.decode()


def test_batches_with_a_lot_of_the_batch_are_neighbours_through_what_was_made_of_it() -> None:
    first = _line()
    lot = factories.lot_for(first)
    factories.charge(first, net="10", lot=lot)
    second = _line(of=first.material_code)
    factories.charge(second, net="10", lot=lot)
    made = factories.made_lot(unit="mL")
    operator = factories.person(Role.OPERATOR)
    genealogy.produced(second.batch, lot=made, actor=operator, at=NOON)
    quality = factories.confirmed(factories.person(Role.QUALITY_ASSURANCE))
    lots.release(made, confirmed=quality, reason="tested and within specification")
    third = _line(of=made.material.code)
    factories.charge(third, net="10", lot=made)

    because = f"got lot {lot.number} as {first.batch.number} did"
    assert _named(factories.deviation(first.batch)) == {
        second.batch.number: because,
        third.batch.number: f"{because}, through {made.number}",
    }
    assert _named(factories.deviation(second.batch)) == {
        first.batch.number: f"got lot {lot.number} as {second.batch.number} did",
        third.batch.number: f"got lot {lot.number} as {second.batch.number} did, through "
        f"{made.number}; got lot {made.number}, which {second.batch.number} became",
    }


def _line(of: str = "") -> BatchMaterial:
    """Return the first line of a running batch, of a material when one is named."""
    code = of or factories.material(unit="mL").code
    content = replace(
        factories.RECIPE,
        materials=[
            MaterialDraft(
                line=1, phase="Bioreactor/Inoculation", material=code, kind=MaterialKind.ACTIVE,
                quantity=Decimal(10), unit="mL", tolerance_low_pct=Decimal(5),
                tolerance_high_pct=Decimal(5), amount_per_dosage_unit="50 mg",
            ),
            MaterialDraft(
                line=2, phase="Bioreactor/Harvest", material=code, kind=MaterialKind.PACKAGING,
                quantity=Decimal(1), unit="mL",
            ),
        ],
    )  # fmt: skip
    phase = factories.ready_phase(content)
    return phase.batch.materials.select_related("phase__batch", "batch").get(line=1)


def test_a_lot_that_systems_posted_is_the_same_only_with_its_material() -> None:
    batch, same, of_another_material = (factories.running_batch() for _ in range(3))
    for one, material in ((batch, "M-1"), (same, "M-1"), (of_another_material, "M-2")):
        _posted(one, EventKind.ADDITION, material=material, lot="L-9", quantity="1", unit="kg")

    assert _named(factories.deviation(batch)) == {
        same.number: f"got lot L-9 of M-1 as {batch.number} did"
    }


def test_a_neighbour_by_several_rules_is_named_once_with_every_reason() -> None:
    recipe = factories.recipe()
    batch, other = factories.running_batch(recipe), factories.running_batch(recipe)
    for one in (batch, other):
        _posted(one, EventKind.OBSERVATION, equipment="BR-7")
    opened = factories.deviation(batch)

    (neighbour,) = scope.extend(opened, actor=factories.person(Role.PROCESS_ENGINEER), at=NOON)

    assert neighbour.rule == "same-equipment, same-product-and-period"
    assert neighbour.because == (
        f"used BR-7 within 30 days of {batch.number}; "
        f"of {recipe.product.code} as {batch.number}, issued within 30 days"
    )
