"""Receive lots and decide about them: quarantine until QA releases (21 CFR 211.82, 211.84)."""

from collections.abc import Mapping
from datetime import UTC, date, datetime

from django.db.models import F, QuerySet

from batches.assets import ledger, lot_states, receipts, suppliers
from batches.assets.actions import Action
from batches.assets.ledger import Line, LotNotUsable, demand_usable
from batches.assets.lot_states import LotStep
from batches.assets.models import LotState, Material, MaterialLot, MovementKind
from batches.assets.receipts import Implausible, LotInvalid, Receipt
from compliance import numbering
from compliance.access import authority
from compliance.access.duties import Duty
from compliance.access.models import User
from compliance.refusals import Refused
from compliance.signatures import signing
from compliance.signatures.models import Meaning
from compliance.signatures.signing import Confirmed
from compliance.trail import recording
from compliance.trail.tlog import canonical

__all__ = [
    "Implausible", "LotInvalid", "LotNotUsable", "Receipt", "block", "change_dates",
    "demand_usable", "enter", "first_to_expire", "quarantine", "receive", "reject", "release",
]  # fmt: skip


class LotKnown(Refused):
    code = "lot-known"


class ReceiverDecides(Refused):
    """Whoever received a lot does not release it (21 CFR 211.22(a))."""

    code = "receiver-decides"


class SupplierNotApproved(Refused):
    code = "supplier-not-approved"


def receive(material: Material, *, receipt: Receipt, actor: User, at: datetime) -> MaterialLot:
    """Take a delivery into quarantine; raise `LotInvalid`, or `Implausible` until it has a note."""
    authority.demand(actor, Duty.RECEIVE_MATERIAL)
    if receipt.supplier is None or not receipt.supplier_lot.strip():
        raise LotInvalid("a delivery has a supplier, and the supplier's number of the lot")
    reason = f"{receipt.quantity} {receipt.unit} of {material.code} received"
    with recording.recording(Action.LOT_RECEIVED, actor=actor, at=at, reason=reason):
        return enter(material, receipt=receipt, actor=actor, at=at)


def enter(material: Material, *, receipt: Receipt, actor: User, at: datetime) -> MaterialLot:
    """Write a new lot in quarantine, with the first line of its ledger, in the caller's act."""
    receipts.demand_valid(material, receipt, at=at)
    receipts.demand_plausible(material, receipt, at=at)
    values = dict(vars(receipt))
    number = values.pop("number") or numbering.next_number(MaterialLot, prefix="LOT", at=at)
    if MaterialLot.objects.filter(number=number).exists():
        raise LotKnown(f"{number} is the number of another lot; leave it empty for the next one")
    values["quantity"] = ledger.exact(receipt.quantity)
    values["retest_on"] = receipt.retest_on or receipts.next_retest(material, receipt.received_at)
    lot = MaterialLot.objects.create(number=number, material=material, received_by=actor, **values)
    line = Line(reason="first line of the ledger", moved_at=receipt.received_at)
    ledger.append(lot, MovementKind.RECEIVED, lot.quantity, line=line, actor=actor, at=at)
    return lot


def release(
    lot: MaterialLot, *, confirmed: Confirmed, reason: str, retest_on: date | None = None
) -> MaterialLot:
    """Release a lot by signature of QA; `retest_on` is the next one after a retest that passed."""
    signer, at = confirmed.signer, confirmed.at
    authority.demand(signer, Duty.RELEASE_MATERIAL)
    text = recording.demand_reason(reason)
    with recording.recording(Action.LOT_DECIDED, actor=signer, at=at, reason=text):
        held = lot_states.take(lot, LotStep.RELEASE)
        if signer.pk == held.received_by_id:
            raise ReceiverDecides(f"{held.number}: whoever received it does not release it")
        _demand_supplier(held)
        if retest_on is not None and retest_on != held.retest_on:
            held.retest_on = retest_on
            held.save(update_fields=["retest_on"])
        _demand_in_date(held, at=at)
        signing.sign(held, meaning=Meaning.RELEASED, confirmed=confirmed, comment=text)
        return _decide(held, LotState.RELEASED, by=signer, at=at)


def reject(lot: MaterialLot, *, confirmed: Confirmed, reason: str) -> MaterialLot:
    """Reject a lot by signature of QA, for good."""
    signer, at = confirmed.signer, confirmed.at
    authority.demand(signer, Duty.RELEASE_MATERIAL)
    text = recording.demand_reason(reason)
    with recording.recording(Action.LOT_DECIDED, actor=signer, at=at, reason=text):
        held = lot_states.take(lot, LotStep.REJECT)
        signing.sign(held, meaning=Meaning.REJECTED, confirmed=confirmed, comment=text)
        return _decide(held, LotState.REJECTED, by=signer, at=at)


def block(lot: MaterialLot, *, actor: User, at: datetime, reason: str) -> MaterialLot:
    """Stop a lot at once, until QA decides anew."""
    return _set_aside(lot, LotStep.BLOCK, LotState.BLOCKED, actor=actor, at=at, reason=reason)


def quarantine(lot: MaterialLot, *, actor: User, at: datetime, reason: str) -> MaterialLot:
    """Take a lot back into quarantine, e.g. for its retest."""
    return _set_aside(
        lot, LotStep.QUARANTINE, LotState.QUARANTINE, actor=actor, at=at, reason=reason
    )


def change_dates(
    lot: MaterialLot, *, expires_on: date | None, retest_on: date | None, actor: User,
    at: datetime, reason: str,
) -> MaterialLot:  # fmt: skip
    """Change expiry or retest; those of a released lot are only brought forward."""
    authority.demand(actor, Duty.RELEASE_MATERIAL)
    text = recording.demand_reason(reason)
    with recording.recording(Action.LOT_DATES_CHANGED, actor=actor, at=at, reason=text):
        held = lot_states.take(lot, LotStep.CHANGE_DATES)
        if held.state == LotState.RELEASED and (
            (expires_on or date.max) > (held.expires_on or date.max)
            or (retest_on or date.max) > (held.retest_on or date.max)
        ):
            raise LotInvalid(
                f"{held.number} is released: its dates are only brought forward; take it back "
                "into quarantine to put them off"
            )
        held.expires_on, held.retest_on = expires_on, retest_on
        held.save(update_fields=["expires_on", "retest_on"])
    return held


def first_to_expire(material: Material, *, at: datetime) -> QuerySet[MaterialLot]:
    """Return the lots that may be used now and hold something, first expiry first (FEFO)."""
    on = at.astimezone(UTC).date()
    usable = MaterialLot.objects.filter(material=material, state=LotState.RELEASED)
    usable = usable.exclude(expires_on__lt=on).exclude(retest_on__lt=on)
    return (
        ledger.with_balance(usable)
        .filter(on_hand__gt=0)  # type: ignore[misc]  # the annotation
        .order_by(F("expires_on").asc(nulls_last=True), "received_at", "pk")
    )


@signing.signable(MaterialLot)
def signed_content(lot: MaterialLot) -> Mapping[str, canonical.Value]:
    """What a release or a rejection covers: the lot as received, not where it stands now."""
    return {
        "number": lot.number,
        "material": lot.material.code,
        "supplier": lot.supplier.code if lot.supplier else None,
        "supplier_lot": lot.supplier_lot,
        "quantity": f"{lot.quantity.normalize():f}",
        "unit": lot.unit,
        "container_count": lot.container_count,
        "received_at": lot.received_at.isoformat(),
        "received_by": lot.received_by.username,
        "expires_on": lot.expires_on.isoformat() if lot.expires_on else None,
        "retest_on": lot.retest_on.isoformat() if lot.retest_on else None,
        "plausibility_note": lot.plausibility_note,
    }


def _set_aside(
    lot: MaterialLot, step: LotStep, state: LotState, *, actor: User, at: datetime, reason: str
) -> MaterialLot:
    authority.demand(actor, Duty.RELEASE_MATERIAL)
    text = recording.demand_reason(reason)
    with recording.recording(Action.LOT_DECIDED, actor=actor, at=at, reason=text):
        return _decide(lot_states.take(lot, step), state, by=actor, at=at)


def _decide(lot: MaterialLot, state: LotState, *, by: User, at: datetime) -> MaterialLot:
    lot.state, lot.decided_by, lot.decided_at = state, by, at
    lot.save(update_fields=["state", "decided_by", "decided_at"])
    return lot


def _demand_supplier(lot: MaterialLot) -> None:
    if lot.supplier is None:
        return
    on = lot.received_at.astimezone(UTC).date()
    if not suppliers.is_approved(lot.supplier, material=lot.material, on=on):
        raise SupplierNotApproved(
            f"{lot.number}: {lot.supplier.code} was not approved for {lot.material.code} on {on}; "
            "approve the supplier or reject the lot"
        )


def _demand_in_date(lot: MaterialLot, *, at: datetime) -> None:
    on = at.astimezone(UTC).date()
    if lot.expires_on is not None and lot.expires_on < on:
        raise LotInvalid(f"{lot.number} expired on {lot.expires_on}: reject it")
    if lot.retest_on is not None and lot.retest_on < on:
        raise LotInvalid(f"{lot.number}: the retest was due on {lot.retest_on}; give the next one")
