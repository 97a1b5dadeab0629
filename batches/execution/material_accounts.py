"""Reconcile each charged lot: issued, charged, returned, wasted (21 CFR 211.184(c), 211.188(b))."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Sum

from batches.assets import ledger
from batches.assets.ledger import Line
from batches.assets.models import MaterialLot, Movement, MovementKind
from batches.execution import calculating, exceptions, late, recorded, states, training_gate
from batches.execution.actions import Action
from batches.execution.charges import MaterialAccounted
from batches.execution.late import Late
from batches.execution.models import Batch, BatchMaterial, MaterialAccount
from batches.quantities import units
from batches.quantities.limits import Range
from compliance.access import authority
from compliance.access.duties import Duty
from compliance.access.models import User
from compliance.refusals import Refused
from compliance.trail import recording


class NothingCharged(Refused):
    """Only what was charged is reconciled; the charges come first."""

    code = "nothing-charged"


class AccountInvalid(Refused):
    code = "account-invalid"
    status = 422


@dataclass(frozen=True, kw_only=True)
class Account:
    """What was brought for a line of the bill of materials, and what was not charged of it."""

    issued: Decimal
    unit: str
    returned: Decimal = Decimal(0)
    wasted: Decimal = Decimal(0)


def reconcile(
    material: BatchMaterial, *, lot: MaterialLot, account: Account, performed_at: datetime,
    actor: User, at: datetime, late_entry: Late | None = None,
) -> MaterialAccount:  # fmt: skip
    """Account for what was issued of a lot, against its material's limit.

    What was charged is the sum of its charges; what was wasted leaves the lot's ledger in the same
    act (what was charged has left it, what is returned never did). Outside the limit it is an
    exception. Raise `NothingCharged`, `MaterialAccounted`, `AccountInvalid` or `UnitMismatch`.
    """
    authority.demand(actor, Duty.CHARGE_MATERIAL)
    timed = late.demand(performed_at=performed_at, actor=actor, at=at, late=late_entry)
    _demand_possible(material, account)
    reason = f"reconciliation of {lot.number} in batch {material.batch.number}"
    with recording.recording(Action.MATERIAL_ACCOUNTED, actor=actor, at=at, reason=reason):
        phase = states.enter(material.phase)
        training_gate.demand(actor, phase=phase, at=at)
        if material.accounts.filter(lot=lot).exists():
            raise MaterialAccounted(f"{lot.number} is reconciled for line {material.line} already")
        charged = material.charges.filter(lot=lot).aggregate(total=Sum("net"))["total"]
        if charged is None:
            raise NothingCharged(
                f"nothing of {lot.number} is charged on line {material.line} of {phase.batch.number}"
            )
        limit = lot.material.reconciliation_limit_percent
        task = calculating.reconciliation(
            f"{material.material_code} lot {lot.number} (line {material.line})",
            unit=material.unit, limit=Range(100 - limit, 100 + limit), issued=account.issued,
            used=charged, returned=account.returned, destroyed=account.wasted, sampled=Decimal(0),
        )  # fmt: skip
        computed = calculating.record(phase.batch, task=task, actor=actor, at=at, phase=phase)
        made = MaterialAccount.objects.create(
            batch=phase.batch, phase=phase, material=material, lot=lot, issued=account.issued,
            charged=charged, returned=account.returned, wasted=account.wasted, unit=material.unit,
            limit_percent=limit, reconciliation=computed,
            scrapped=_scrap(material, lot, account, actor=actor, at=performed_at, recorded_at=at),
            **timed.columns,
        )  # fmt: skip
        late.witness(made, late=late_entry)
        exceptions.flag_late(phase.batch, made, by=actor, reason=timed.late_reason, at=at)
    return made


def lacking(batch: Batch) -> Iterator[tuple[BatchMaterial, str]]:
    """Yield each line and lot that people or systems charged and nobody reconciled."""
    accounted = set(batch.material_accounts.values_list("material_id", "lot_id"))
    said, posted = recorded.reconciled(batch), recorded.charged_lots(batch)
    for line in batch.materials.order_by("line"):
        charged = line.charges.values_list("lot_id", "lot__number").order_by("lot__number")
        for pk, number in charged.distinct():
            if (line.pk, pk) not in accounted:
                yield line, number
        for code, number in sorted(posted - said):
            if code == line.material_code:
                yield line, number


def _scrap(
    material: BatchMaterial, lot: MaterialLot, account: Account, *, actor: User, at: datetime,
    recorded_at: datetime,
) -> Movement | None:  # fmt: skip
    if not account.wasted:
        return None
    number = material.batch.number
    return ledger.move(
        lot, MovementKind.SCRAPPED, actor=actor, at=recorded_at, unit=lot.unit,
        quantity=units.convert(account.wasted, material.unit, lot.unit),
        line=Line(reason=f"wasted in batch {number}", reference=number, moved_at=at),
    )  # fmt: skip


def _demand_possible(material: BatchMaterial, account: Account) -> None:
    units.demand_same(account.unit, declared=material.unit, what=material.material_code)
    for amount in (account.issued, account.returned, account.wasted):
        ledger.exact(amount)
    if account.issued <= 0 or account.returned < 0 or account.wasted < 0:
        raise AccountInvalid(
            "something was issued; what is returned or wasted is not below nothing"
        )
