"""What is charged too little is an exception, and what was issued of each lot is accounted for."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal

import pytest
from django.db import DatabaseError, transaction
from django.test import Client

from batches.assets import ledger
from batches.execution import phases, shortfalls, verification
from batches.execution.actions import Action
from batches.execution.charges import MaterialAccounted
from batches.execution.material_accounts import AccountInvalid, NothingCharged
from batches.execution.models import (
    BatchMaterial,
    BatchPhase,
    Charge,
    EventKind,
    ExceptionKind,
    MaterialAccount,
)
from batches.execution.phases import PerformerVerifies
from batches.execution.states import PhaseStep
from batches.quantities.units import UnitMismatch
from batches.recipes.drafts import MaterialDraft
from batches.recipes.models import MaterialKind
from compliance.access.authority import NotPermitted
from compliance.access.duties import Role
from compliance.trail import recording
from tests import factories
from tests.factories import NOON, RECIPE, TEST

pytestmark = pytest.mark.django_db


@pytest.fixture
def line() -> BatchMaterial:
    """Return a line of 10 kg, 9.5 to 10.5 allowed, in the running first phase of a batch."""
    factories.material(code="RM-GLU")
    content = replace(
        RECIPE,
        materials=[
            MaterialDraft(
                line=1, phase="Bioreactor/Inoculation", material="RM-GLU",
                kind=MaterialKind.ACTIVE, quantity=Decimal("10"), unit="kg",
                tolerance_low_pct=Decimal(5), tolerance_high_pct=Decimal(5),
                amount_per_dosage_unit="50 mg",
            ),
            MaterialDraft(
                line=2, phase="Bioreactor/Harvest", material="RM-GLU",
                kind=MaterialKind.PACKAGING, quantity=Decimal("1"), unit="kg",
            ),
        ],
    )  # fmt: skip
    phase = factories.ready_phase(content)
    return phase.batch.materials.select_related("phase__batch", "batch").get(line=1)


@pytest.fixture
def charged(line: BatchMaterial) -> Charge:
    return factories.charge(line, net="10", lot=factories.lot_for(line, quantity="25"))


def _end(line: BatchMaterial) -> None:
    phase = BatchPhase.objects.select_related("batch__recipe__product").get(pk=line.phase_id)
    phases.move(phase, PhaseStep.END, actor=factories.person(Role.OPERATOR), at=NOON)


def _short(line: BatchMaterial) -> list[str]:
    found = line.batch.exceptions.filter(kind=ExceptionKind.CHARGE).order_by("pk")
    return [one.text for one in found]


@contextmanager
def _refused_by_the_database(words: str) -> Iterator[None]:
    with pytest.raises(DatabaseError, match=words) as refused, transaction.atomic():
        with recording.recording(
            Action.MATERIAL_ACCOUNTED, actor=TEST, at=NOON, reason="an attempt around the rules"
        ):
            yield
    assert refused.value.__cause__.sqlstate == "GM002"  # type: ignore[union-attr]


# --- Too little


@pytest.mark.requirement("211-101/103/110/111")
@pytest.mark.parametrize(("net", "is_short"), [("9.499", True), ("9.5", False), ("10.5", False)])
def test_less_than_the_tolerance_at_the_end_of_a_phase_is_an_exception(
    line: BatchMaterial, net: str, is_short: bool
) -> None:
    factories.charge(line, net=net)
    assert _short(line) == []

    _end(line)

    wanted = [f"too little: RM-GLU (line 1): {net} kg charged, allowed 9.5 to 10.5 kg"]
    assert _short(line) == (wanted if is_short else [])
    if is_short:
        found = line.batch.exceptions.get()
        assert (found.is_critical, found.needs_deviation, found.clause) == (
            True, True, "21 CFR 211.101",
        )  # fmt: skip


def test_nothing_charged_at_the_end_of_a_persons_phase_is_too_little(line: BatchMaterial) -> None:
    _end(line)

    assert _short(line) == ["too little: RM-GLU (line 1): 0 kg charged, allowed 9.5 to 10.5 kg"]


def test_what_a_system_charged_is_judged_at_the_end_of_the_batch_and_once() -> None:
    batch = factories.running_batch()
    source = factories.device()
    first, bag = batch.materials.order_by("line")
    for amount in ("4", "5"):
        details = {
            "material": first.material_code, "lot": "LOT-1", "quantity": amount, "unit": "mL",
        }  # fmt: skip
        factories.happened(batch, EventKind.ADDITION, by=source, details=details)
    for phase in batch.phases.order_by("order"):
        factories.happened(batch, EventKind.PHASE_STARTED, by=source, phase=phase.name)
        factories.happened(batch, EventKind.PHASE_ENDED, by=source, phase=phase.name)
    assert not batch.exceptions.exists()

    factories.happened(batch, EventKind.BATCH_ENDED, by=source)

    # Of the bag nothing is recorded: that is what the record lacks, no departure.
    text = f"too little: {first.material_code} (line 1): 9 mL charged, allowed 9.5 to 10.5 mL"
    assert [one.text for one in batch.exceptions.all()] == [text]
    assert [one.line for one in shortfalls.of(batch)] == [first, bag]


# --- Accounts


@pytest.mark.requirement("211-188", "CH4-20")
def test_what_was_issued_is_charged_returned_or_wasted_and_waste_leaves_the_ledger(
    charged: Charge,
) -> None:
    made = factories.reconciled(charged, issued="12", returned="1.5", wasted="0.5")

    assert (made.charged, made.difference) == (Decimal(10), Decimal(0))
    assert (made.reconciliation.result, made.reconciliation.is_within) == ("100.00", True)
    # Received 25, charged 10, wasted 0.5; what is returned had never left it.
    assert ledger.balance(charged.lot) == Decimal("14.5")
    assert made.scrapped.reference == charged.batch.number
    assert not charged.batch.exceptions.exists()


@pytest.mark.requirement("211-188")
@pytest.mark.parametrize(("limit", "is_exception"), [("0", True), ("2", False), ("1.9", True)])
def test_a_difference_beyond_the_materials_limit_is_an_exception(
    charged: Charge, limit: str, is_exception: bool
) -> None:
    material = charged.lot.material
    with recording.recording(
        Action.MATERIAL_ACCOUNTED, actor=TEST, at=NOON, reason="its limit for this test"
    ):
        material.reconciliation_limit_percent = Decimal(limit)
        material.save(update_fields=["reconciliation_limit_percent"])

    made = factories.reconciled(charged, issued="10.2", returned="0")

    assert (made.difference, made.limit_percent) == (Decimal("0.2"), Decimal(limit))
    found = [(one.kind, one.needs_deviation) for one in charged.batch.exceptions.all()]
    assert found == ([(ExceptionKind.RECONCILIATION, True)] if is_exception else [])


def test_a_lot_is_reconciled_once_after_its_charges_and_takes_no_more(charged: Charge) -> None:
    other = factories.lot_for(charged.material, quantity="5")
    with pytest.raises(NothingCharged):
        factories.reconciled(replace_lot(charged, other))
    made = factories.reconciled(charged)

    with pytest.raises(MaterialAccounted):
        factories.reconciled(charged)
    with pytest.raises(MaterialAccounted):
        factories.charge(charged.material, net="0.1", lot=charged.lot)
    factories.charge(charged.material, net="0.1", lot=other)
    assert MaterialAccount.objects.get() == made


def replace_lot(charged: Charge, lot: object) -> Charge:
    """Return a charge of another lot that nobody made: what a caller may name by mistake."""
    copy = Charge.objects.select_related("material__phase__batch").get(pk=charged.pk)
    copy.lot = lot  # type: ignore[assignment]
    return copy


def test_amounts_that_cannot_be_are_refused_and_nothing_moves(charged: Charge) -> None:
    for said in ({"issued": "-1"}, {"returned": "-0.1"}, {"wasted": "-2"}):
        with pytest.raises(AccountInvalid):
            factories.reconciled(charged, **said)
    charged.unit = "g"
    with pytest.raises(UnitMismatch):
        factories.reconciled(charged)
    charged.unit = "kg"
    with pytest.raises(NotPermitted):
        factories.reconciled(charged, by=factories.person(Role.QC_ANALYST))
    with pytest.raises(ledger.StockShort):
        factories.reconciled(charged, issued="40", wasted="30")
    assert not MaterialAccount.objects.exists()
    assert ledger.balance(charged.lot) == Decimal("15")


@pytest.mark.requirement("A11-6")
def test_an_account_is_verified_by_another_person(charged: Charge) -> None:
    made = factories.reconciled(charged)

    with pytest.raises(PerformerVerifies):
        verification.verify(made, confirmed=factories.confirmed(made.performed_by))
    supervisor = factories.person(Role.SUPERVISOR)

    assert verification.verify(made, confirmed=factories.confirmed(supervisor)).verified_by == (
        supervisor
    )


def test_the_database_holds_accounts_to_charges_and_charges_to_accounts(charged: Charge) -> None:
    made = factories.reconciled(charged)

    def copy(**changed: object) -> MaterialAccount:
        values = {
            one.attname: getattr(made, one.attname)
            for one in MaterialAccount._meta.concrete_fields
            if one.name not in ("id", "audit_seq", "audit_head")
        }
        return MaterialAccount(**{**values, **changed})

    with _refused_by_the_database("reconciled as charged is what was charged: 10"):
        copy(charged=Decimal(9)).save()
    with _refused_by_the_database("in its batch, phase and unit"):
        copy(unit="g").save()
    with _refused_by_the_database("what is entered is not altered"):
        MaterialAccount.objects.filter(pk=made.pk).update(issued=11)
    with _refused_by_the_database("nothing more of it is charged"):
        again = Charge.objects.get(pk=charged.pk)
        again.pk = None
        again.save(force_insert=True)


def test_an_account_over_the_api_and_on_the_pages(client: Client, charged: Charge) -> None:
    batch = charged.batch.number
    client.force_login(factories.person(Role.OPERATOR))
    body = {
        "line": 1, "lot": charged.lot.number, "issued": "10.50", "unit": "kg", "returned": "0.5",
    }  # fmt: skip

    answer = client.post(
        f"/api/v1/batches/{batch}/material-accounts", body, content_type="application/json"
    )

    assert answer.status_code == 201, answer.content
    said = answer.json()
    assert (said["charged"], said["reconciliation"], said["is_within"]) == (
        "10.000000", "100.00", True,
    )  # fmt: skip
    again = client.post(
        f"/api/v1/batches/{batch}/material-accounts", body, content_type="application/json"
    )
    assert again.status_code == 409
    assert "material-accounted" in again.json()["type"]
    listed = client.get(f"/api/v1/batches/{batch}/material-accounts").json()
    assert [one["id"] for one in listed["results"]] == [said["id"]]
    page = client.get(f"/admin/execution/batch/{charged.batch_id}/change/").content.decode()
    assert "Reconciliation of materials" in page
    one = client.get(f"/admin/execution/materialaccount/{said['id']}/change/")
    assert one.status_code == 200
