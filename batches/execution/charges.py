"""Charge material into a batch by two people, out of the lot's ledger (21 CFR 211.101)."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Sum

from batches.assets import equipment, ledger
from batches.assets.ledger import Line
from batches.assets.models import Equipment, MaterialLot, MovementKind
from batches.execution import exceptions, late, states, training_gate
from batches.execution.actions import Action
from batches.execution.late import Late
from batches.execution.models import (
    BatchMaterial,
    BatchPhase,
    Charge,
    ExceptionKind,
)
from batches.quantities import units
from batches.quantities.limits import Range
from compliance.access import authority
from compliance.access.duties import Duty
from compliance.access.models import User
from compliance.refusals import Refused
from compliance.signatures import signing
from compliance.signatures.models import Meaning
from compliance.signatures.signing import Confirmed
from compliance.trail import recording


class ChargerVerifies(Refused):
    """A second person verifies each charge (21 CFR 211.101(c), (d))."""

    code = "charger-verifies"
    status = 403


class WrongMaterial(Refused):
    """The lot is of another material than the bill of materials names."""

    code = "wrong-material"


class WeightsDisagree(Refused):
    code = "weights-disagree"
    status = 422


class AboveTolerance(Refused):
    """More than the bill of materials allows; if it is in the vessel already, say why."""

    code = "above-tolerance"
    status = 422


class MaterialAccounted(Refused):
    """What a lot gave to a batch is reconciled once, when all of it is charged."""

    code = "material-accounted"


@dataclass(frozen=True, kw_only=True)
class Weighed:
    """What the scale showed; without tare and gross, what was counted or metered."""

    net: Decimal
    unit: str
    gross: Decimal | None = None
    tare: Decimal | None = None
    scale: Equipment | None = None
    convert: bool = False
    override_reason: str = ""


def charge(
    material: BatchMaterial, *, lot: MaterialLot, weighed: Weighed, performed_at: datetime,
    actor: User, verifier: Confirmed, at: datetime, late_entry: Late | None = None,
) -> Charge:  # fmt: skip
    """Record a charge, take it out of the lot's ledger and sign it by its verifier, in one act.

    Raise `ChargerVerifies`, `WrongMaterial`, `UnitMismatch`, `WeightsDisagree`, `AboveTolerance`,
    `MaterialAccounted`, `LotNotUsable`, `StockShort`, `EquipmentNotUsable`, `EnteredLate`,
    `NotTrained`.
    """
    authority.demand(actor, Duty.CHARGE_MATERIAL)
    authority.demand(verifier.signer, Duty.VERIFY_EXECUTION)
    if verifier.signer.pk == actor.pk:
        raise ChargerVerifies(f"{actor.username} charges; another person verifies it")
    timed = late.demand(performed_at=performed_at, actor=actor, at=at, late=late_entry)
    reason = f"charge of {lot.number} into batch {material.batch.number}"
    with recording.recording(Action.MATERIAL_CHARGED, actor=actor, at=at, reason=reason):
        phase = _phase(material, lot, people=(actor, verifier.signer), at=at)
        net, given = _net(material, weighed)
        if weighed.scale is not None:
            equipment.demand_usable(weighed.scale, at=performed_at, campaign=phase.batch.number)
        ledger.demand_usable(lot, at=performed_at)
        override = _demand_tolerance(material, net, weighed)
        in_stock = units.convert(net, material.unit, lot.unit)
        movement = ledger.move(
            lot, MovementKind.DISPENSED, quantity=in_stock, unit=lot.unit, actor=actor, at=at,
            line=Line(reason=reason, reference=phase.batch.number, moved_at=performed_at),
        )  # fmt: skip
        made = Charge.objects.create(
            batch=phase.batch, phase=phase, material=material, lot=lot, movement=movement,
            gross=weighed.gross if not given else None, tare=weighed.tare if not given else None,
            net=net, unit=material.unit, given=given, scale_used=weighed.scale,
            verified_by=verifier.signer, override_reason=override, **timed.columns,
        )  # fmt: skip
        signing.sign(made, meaning=Meaning.VERIFIED, confirmed=verifier)
        late.witness(made, late=late_entry)
        exceptions.flag_late(phase.batch, made, by=actor, reason=timed.late_reason, at=at)
        if override:
            _flag(made, at=at)
    return made


def charged(material: BatchMaterial) -> Decimal:
    """Return how much of a line of the bill of materials is charged."""
    return material.charges.aggregate(total=Sum("net"))["total"] or Decimal(0)


def allowed(material: BatchMaterial) -> Range:
    """Return the range that the charges of a line have to add up to."""
    low = material.quantity * (100 - material.tolerance_low_pct) / 100
    high = material.quantity * (100 + material.tolerance_high_pct) / 100
    return Range(low, high)


def _phase(
    material: BatchMaterial, lot: MaterialLot, *, people: tuple[User, User], at: datetime
) -> BatchPhase:
    phase = states.enter(material.phase)
    if lot.material.code != material.material_code:
        raise WrongMaterial(
            f"{lot.number} is {lot.material.code}; line {material.line} of {phase.batch.number} "
            f"wants {material.material_code}"
        )
    if material.accounts.filter(lot=lot).exists():
        raise MaterialAccounted(
            f"{lot.number} is reconciled for line {material.line} of {phase.batch.number} already: "
            "charge another lot, or open a deviation"
        )
    for person in people:
        training_gate.demand(person, phase=phase, at=at)
    return phase


def _net(material: BatchMaterial, weighed: Weighed) -> tuple[Decimal, str]:
    """Return the net amount in the unit of the bill of materials, and what was given if another."""
    if (weighed.gross is None) != (weighed.tare is None):
        raise WeightsDisagree("give gross and tare, or neither")
    if weighed.gross is not None and weighed.tare is not None:
        found = weighed.gross - weighed.tare
        if found != weighed.net:
            raise WeightsDisagree(
                f"{weighed.gross:f} less {weighed.tare:f} is {found:f}, not {weighed.net:f}"
            )
    if units.is_same(weighed.unit, material.unit):
        net, given = weighed.net, ""
    elif weighed.convert:
        restated = units.restate(weighed.net, given=weighed.unit, declared=material.unit)
        tared = f", gross {weighed.gross:f}, tare {weighed.tare:f}" if weighed.gross else ""
        net, given = restated.declared.value, f"{restated.given}{tared}"[:80]
    else:
        units.demand_same(weighed.unit, declared=material.unit, what=material.material_code)
        raise AssertionError  # demand_same has raised
    if net <= 0:
        raise WeightsDisagree("a charge is more than nothing")
    return ledger.exact(net), given


def _demand_tolerance(material: BatchMaterial, net: Decimal, weighed: Weighed) -> str:
    total, range_ = charged(material) + net, allowed(material)
    if range_.high is None or total <= range_.high:
        return ""
    if not weighed.override_reason.strip():
        raise AboveTolerance(
            f"with this charge line {material.line} has {total:f} {material.unit}; allowed: "
            f"{range_} {material.unit}. If it is in the vessel already, enter it with the reason"
        )
    return recording.demand_reason(weighed.override_reason)


def _flag(made: Charge, *, at: datetime) -> None:
    material = made.material
    exceptions.flag(
        made.batch, ExceptionKind.CHARGE, about=made, phase=made.phase, by=made.performed_by, at=at,
        is_critical=material.kind == "active",
        text=f"{material.material_code}: {charged(material):f} {material.unit} charged, allowed "
        f"{allowed(material)} {material.unit}: {made.override_reason}",
    )  # fmt: skip
