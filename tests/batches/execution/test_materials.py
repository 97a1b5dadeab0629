"""Material goes in by two people out of its lot; equipment is used when it may be."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from batches.assets import ledger, lots
from batches.assets.equipment import EquipmentNotUsable
from batches.assets.ledger import LotNotUsable, StockShort
from batches.assets.lots import Receipt
from batches.assets.models import Equipment, Material, MaterialLot
from batches.assets.models import MaterialKind as StockKind
from batches.execution import charges, equipment_use, genealogy
from batches.execution.charges import (
    AboveTolerance,
    ChargerVerifies,
    WeightsDisagree,
    WrongMaterial,
)
from batches.execution.equipment_use import EquipmentReturned, WrongEquipment
from batches.execution.genealogy import LotMade, OwnComponent
from batches.execution.models import BatchMaterial, BatchPhase, Charge, EventKind
from batches.quantities.units import UnitMismatch
from batches.recipes.drafts import MaterialDraft
from batches.recipes.models import MaterialKind
from compliance.access.duties import Role
from compliance.signatures import signing
from compliance.trail import recording
from tests import factories
from tests.factories import NOON, RECIPE, TEST

pytestmark = pytest.mark.django_db

BY_WEIGHT = replace(
    RECIPE,
    materials=[
        MaterialDraft(
            line=1, phase="Bioreactor/Inoculation", material="RM-GLU", kind=MaterialKind.ACTIVE,
            quantity=Decimal("10"), unit="kg", tolerance_low_pct=Decimal(5),
            tolerance_high_pct=Decimal(5), amount_per_dosage_unit="50 mg",
        ),
        MaterialDraft(
            line=2, phase="Bioreactor/Inoculation", material="MAT-BAG",
            kind=MaterialKind.PACKAGING, quantity=Decimal("1"), unit="{piece}",
        ),
    ],
)  # fmt: skip


@pytest.fixture
def line() -> BatchMaterial:
    factories.material(code="RM-GLU")
    factories.material(code="MAT-BAG", unit="{piece}", kind=StockKind.PACKAGING)
    phase = factories.ready_phase(BY_WEIGHT)
    return phase.batch.materials.select_related("phase__batch", "batch").get(line=1)


@pytest.mark.requirement("211-101/103/110/111", "211-188")
def test_a_charge_is_of_two_people_and_leaves_the_lot_in_the_same_act(line: BatchMaterial) -> None:
    lot = factories.lot_for(line, quantity="25")

    made = factories.charge(line, net="10.0", gross=Decimal("12.5"), tare=Decimal("2.5"), lot=lot)

    assert made.performed_by != made.verified_by
    assert ledger.balance(lot) == Decimal("15")
    assert made.movement.reference == line.batch.number
    (signature,) = signing.of(made)
    assert (signature.signer, signing.is_current(signature, made)) == (made.verified_by, True)
    assert not line.batch.exceptions.exists()


@pytest.mark.requirement("P11-g1", "211-101/103/110/111")
def test_nobody_verifies_their_own_charge(line: BatchMaterial) -> None:
    operator = factories.person(Role.OPERATOR)

    with pytest.raises(ChargerVerifies):
        charges.charge(
            line, lot=factories.lot_for(line), weighed=charges.Weighed(net=Decimal(10), unit="kg"),
            performed_at=NOON, actor=operator, verifier=factories.confirmed(operator), at=NOON,
        )  # fmt: skip


@pytest.mark.requirement("P11-g1")
def test_the_database_takes_no_charge_of_one_person(line: BatchMaterial) -> None:
    made = factories.charge(line, net="10")
    forged = Charge.objects.get(pk=made.pk)
    forged.pk, forged.verified_by = None, forged.performed_by

    with pytest.raises(IntegrityError, match="charge_verified_by_another"), transaction.atomic():
        with recording.recording(
            "execution.tests", actor=TEST, at=NOON, reason="an attempt to be two people"
        ):
            forged.save()


@pytest.mark.requirement("211-68b", "A11D-10")
def test_grams_for_kilograms_are_refused_or_converted_and_kept_both_ways(
    line: BatchMaterial,
) -> None:
    with pytest.raises(UnitMismatch, match="declared in kg and was given in g"):
        factories.charge(line, net="10000", unit="g")

    made = factories.charge(line, net="10000", unit="g", convert=True)

    assert (made.net, made.unit, made.given) == (Decimal("10"), "kg", "10000 g")


def test_gross_less_tare_is_net(line: BatchMaterial) -> None:
    with pytest.raises(WeightsDisagree):
        factories.charge(line, net="10", gross=Decimal("12"), tare=Decimal("1"))
    with pytest.raises(WeightsDisagree):
        factories.charge(line, net="10", gross=Decimal("12"))


@pytest.mark.requirement("211-101/103/110/111")
def test_more_than_the_tolerance_is_refused_or_confirmed_and_flagged(line: BatchMaterial) -> None:
    lot = factories.lot_for(line)
    factories.charge(line, net="10.5", lot=lot)

    with pytest.raises(AboveTolerance):
        factories.charge(line, net="0.001", lot=lot)
    factories.charge(
        line, net="0.001", lot=lot, override_reason="it was in the vessel before it was read"
    )

    found = line.batch.exceptions.get()
    assert (found.kind, found.is_critical) == ("charge", True)


def test_a_lot_that_may_not_be_used_is_refused_and_nothing_moves(line: BatchMaterial) -> None:
    held = factories.received_lot(Material.objects.get(code="RM-GLU"))
    other = factories.released_lot()

    with pytest.raises(LotNotUsable):
        factories.charge(line, net="10", lot=held)
    with pytest.raises(WrongMaterial):
        factories.charge(line, net="10", lot=other)
    with pytest.raises(StockShort):
        factories.charge(line, net="10", lot=factories.lot_for(line, quantity="9.9"))
    assert not line.charges.exists()


# --- Equipment


@pytest.fixture
def phase() -> BatchPhase:
    return factories.ready_phase()


def _assign(phase: BatchPhase, equipment: Equipment, **said: object) -> object:
    return equipment_use.assign(
        phase, equipment=equipment, performed_at=NOON, actor=factories.person(Role.OPERATOR),
        at=NOON, **said,
    )  # fmt: skip


@pytest.mark.requirement("211-188")
def test_equipment_is_used_in_a_phase_and_its_log_book_says_so(phase: BatchPhase) -> None:
    reactor = factories.equipment()
    need = phase.batch.equipment_needs.get()

    made = _assign(phase, reactor, need=need)

    assert made.use.campaign == phase.batch.number
    assert made.state_text.startswith("qualified")
    returned = equipment_use.give_back(made, actor=factories.person(Role.OPERATOR), at=NOON)
    assert returned.use.used_until == NOON
    with pytest.raises(EquipmentReturned):
        equipment_use.give_back(returned, actor=factories.person(Role.OPERATOR), at=NOON)


@pytest.mark.requirement("211-68a")
def test_equipment_that_may_not_be_used_is_refused(phase: BatchPhase) -> None:
    unqualified = factories.registered_equipment()
    dirty = factories.equipment(is_cleaned=True)

    for one in (unqualified, dirty):
        with pytest.raises(EquipmentNotUsable):
            _assign(phase, one)
    with pytest.raises(WrongEquipment):
        _assign(phase, factories.equipment(kind="balance"), need=phase.batch.equipment_needs.get())
    assert not phase.equipment.exists()


# --- Genealogy


def _made_lot(code: str) -> MaterialLot:
    receipt = Receipt(
        quantity=Decimal(25), unit="kg", received_at=NOON, location="Suite 1", supplier=None,
        supplier_lot="",
    )  # fmt: skip
    author = factories.person(Role.OPERATOR)
    known = Material.objects.filter(code=code).first()
    material = known or factories.material(code=code)
    with recording.recording("execution.tests", actor=author, at=NOON, reason="a lot made here"):
        entered = lots.enter(material, receipt=receipt, actor=author, at=NOON)
    quality = factories.confirmed(factories.person(Role.QUALITY_ASSURANCE))
    return lots.release(entered, confirmed=quality, reason="tested and within specification")


@pytest.mark.requirement("211-188")
def test_material_is_followed_through_batches_both_ways(line: BatchMaterial) -> None:
    raw = factories.lot_for(line)
    factories.charge(line, net="10", lot=raw)
    operator = factories.person(Role.OPERATOR)
    middle = _made_lot("RM-MID")
    genealogy.produced(line.batch, lot=middle, actor=operator, at=NOON)
    next_recipe = replace(
        BY_WEIGHT,
        materials=[
            replace(BY_WEIGHT.materials[0], material="RM-MID"),
            BY_WEIGHT.materials[1],
        ],
    )
    second = factories.ready_phase(next_recipe).batch.materials.get(line=1)
    factories.charge(second, net="10", lot=middle)

    back = genealogy.went_into(second.batch)
    forward = genealogy.used_in(raw)

    assert [(one.level, one.lot.number) for one in back] == [(1, middle.number), (2, raw.number)]
    assert [(one.level, one.batch.number) for one in forward] == [
        (1, line.batch.number), (2, second.batch.number),
    ]  # fmt: skip
    with pytest.raises(LotMade):
        genealogy.produced(second.batch, lot=middle, actor=operator, at=NOON)
    with pytest.raises(LotMade):
        genealogy.produced(second.batch, lot=raw, actor=operator, at=NOON)


def test_a_lot_that_a_system_names_in_an_addition_is_part_of_the_genealogy(
    line: BatchMaterial,
) -> None:
    lot = factories.lot_for(line)
    other = factories.lot_for(line)
    posted = {"material": lot.material.code, "lot": lot.number, "quantity": "10", "unit": "kg"}
    factories.happened(line.batch, EventKind.ADDITION, details=posted)
    factories.happened(line.batch, EventKind.ADDITION, details={**posted, "lot": "UNKNOWN-1"})
    factories.happened(line.batch, EventKind.OBSERVATION, details={**posted, "lot": other.number})

    back = genealogy.went_into(line.batch)
    forward = genealogy.used_in(lot)

    assert [(one.level, one.lot.number) for one in back] == [(1, lot.number)]
    assert [(one.level, one.batch.number) for one in forward] == [(1, line.batch.number)]
    assert genealogy.used_in(other) == []


def test_a_batch_does_not_become_what_a_system_says_went_into_it(line: BatchMaterial) -> None:
    made_here = _made_lot("RM-GLU")
    posted = {"material": "RM-GLU", "lot": made_here.number, "quantity": "10", "unit": "kg"}
    factories.happened(line.batch, EventKind.ADDITION, details=posted)

    with pytest.raises(OwnComponent):
        genealogy.produced(
            line.batch, lot=made_here, actor=factories.person(Role.OPERATOR), at=NOON
        )


def test_a_batch_does_not_become_what_went_into_it(line: BatchMaterial) -> None:
    made_here = _made_lot("RM-GLU")
    factories.charge(line, net="10", lot=made_here)

    with pytest.raises(OwnComponent):
        genealogy.produced(
            line.batch, lot=made_here, actor=factories.person(Role.OPERATOR), at=NOON
        )


def test_a_late_charge_needs_a_witness(line: BatchMaterial) -> None:
    with pytest.raises(charges.late.EnteredLate):
        charges.charge(
            line, lot=factories.lot_for(line), weighed=charges.Weighed(net=Decimal(10), unit="kg"),
            performed_at=NOON - timedelta(hours=1), actor=factories.person(Role.OPERATOR),
            verifier=factories.confirmed(factories.person(Role.SUPERVISOR)), at=NOON,
        )  # fmt: skip
