"""Write the ledger of a lot: each movement with its balance, never below nothing (21 CFR 211.184)."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from django.db.models import OuterRef, QuerySet, Subquery

from batches.assets import lot_states
from batches.assets.actions import Action
from batches.assets.lot_states import LotStep
from batches.assets.models import LotState, MaterialLot, Movement, MovementKind
from batches.assets.models.lots import DECREASES
from compliance.access import authority
from compliance.access.authority import Principal
from compliance.access.duties import Duty
from compliance.refusals import Refused
from compliance.trail import recording

CLOCK_TOLERANCE = timedelta(minutes=5)
PLACES = Decimal("0.000001")
LARGEST = Decimal(10) ** 14


class QuantityInvalid(Refused):
    code = "quantity-invalid"
    status = 422


class StockShort(Refused):
    """The lot holds less than is to be taken."""

    code = "stock-short"


class LotNotUsable(Refused):
    """In quarantine, rejected, blocked, expired or overdue for its retest."""

    code = "lot-not-usable"


@dataclass(frozen=True, kw_only=True)
class Line:
    """What a movement says beside its amount."""

    reason: str
    reference: str = ""
    location: str = ""
    moved_at: datetime | None = None


STEPS = {
    MovementKind.DISPENSED: LotStep.DISPENSE,
    MovementKind.RETURNED: LotStep.RETURN,
    MovementKind.SAMPLED: LotStep.SAMPLE,
    MovementKind.SCRAPPED: LotStep.SCRAP,
    MovementKind.ADJUSTED: LotStep.ADJUST,
    MovementKind.MOVED: LotStep.MOVE,
}
# Any one of these duties: whoever works with materials moves them, and only they.
_MOVERS: dict[str, frozenset[Duty]] = {
    MovementKind.DISPENSED: frozenset({Duty.CHARGE_MATERIAL, Duty.RECEIVE_MATERIAL}),
    MovementKind.RETURNED: frozenset({Duty.CHARGE_MATERIAL, Duty.RECEIVE_MATERIAL}),
    MovementKind.SAMPLED: frozenset({Duty.ENTER_RESULTS, Duty.RECEIVE_MATERIAL}),
    MovementKind.SCRAPPED: frozenset({Duty.CHARGE_MATERIAL, Duty.RECEIVE_MATERIAL}),
    MovementKind.ADJUSTED: frozenset({Duty.RECEIVE_MATERIAL, Duty.RELEASE_MATERIAL}),
    MovementKind.MOVED: frozenset({Duty.RECEIVE_MATERIAL}),
}


def objections(lot: MaterialLot, *, at: datetime) -> list[str]:
    """Return everything that stands against using a lot at a moment."""
    found = []
    if lot.state != LotState.RELEASED:
        found.append(f"it is {_in_words(lot)}")
    elif lot.decided_at is not None and at < lot.decided_at:
        found.append(f"it was released at {lot.decided_at.isoformat()}, after that moment")
    on = at.astimezone(UTC).date()
    if lot.expires_on is not None and lot.expires_on < on:
        found.append(f"it expired on {lot.expires_on}")
    if lot.retest_on is not None and lot.retest_on < on:
        found.append(f"its retest was due on {lot.retest_on}")
    return found


def demand_usable(lot: MaterialLot, *, at: datetime) -> None:
    """Pass when a lot may be used at that moment, else raise `LotNotUsable`; asks as stored."""
    stored = MaterialLot.objects.get(pk=lot.pk)
    if found := objections(stored, at=at):
        raise LotNotUsable(
            f"{stored.number} cannot be used: {'; '.join(found)}. Take another lot or ask QA"
        )


def balance(lot: MaterialLot) -> Decimal:
    """Return what a lot holds now."""
    last = lot.movements.order_by("-sequence").first()
    return last.balance if last else Decimal(0)


def with_balance(found: QuerySet[MaterialLot]) -> QuerySet[MaterialLot]:
    """Add `on_hand`, what each lot holds now, in the same query."""
    newest = Movement.objects.filter(lot=OuterRef("pk")).order_by("-sequence")
    return found.annotate(on_hand=Subquery(newest.values("balance")[:1]))


def move(
    lot: MaterialLot, kind: MovementKind, *, quantity: Decimal, unit: str, line: Line,
    actor: Principal, at: datetime,
) -> Movement:  # fmt: skip
    """Add a movement: a positive amount for what is dispensed, returned, sampled or scrapped,
    a signed one for an adjustment, nothing for a move; raise `StockShort` or `LotNotUsable`."""
    if not _MOVERS[kind] & actor.duties:
        authority.demand(actor, min(_MOVERS[kind]))
    reason = recording.demand_reason(line.reason)
    with recording.recording(Action.STOCK_MOVED, actor=actor, at=at, reason=reason):
        held = lot_states.take(lot, STEPS[kind])
        amount = _amount(held, kind, quantity=quantity, unit=unit)
        if kind == MovementKind.DISPENSED:
            demand_usable(held, at=line.moved_at or at)
        return append(held, kind, amount, line=line, actor=actor, at=at)


def append(
    lot: MaterialLot, kind: MovementKind, amount: Decimal, *, line: Line, actor: Principal,
    at: datetime,
) -> Movement:  # fmt: skip
    """Write the next line of a lot that the caller's act holds locked."""
    moved_at = line.moved_at or at
    if moved_at > at + CLOCK_TOLERANCE:
        raise QuantityInvalid("a movement is recorded when it happens or after it")
    if moved_at < lot.received_at:
        raise QuantityInvalid(f"{lot.number} was received at {lot.received_at.isoformat()} only")
    last = lot.movements.order_by("-sequence").first()
    before = last.balance if last else Decimal(0)
    if before + amount < 0:
        raise StockShort(f"{lot.number} holds {before.normalize():f} {lot.unit}, not {-amount:f}")
    location = line.location.strip() or lot.location
    if location != lot.location:
        lot.location = location
        lot.save(update_fields=["location"])
    return Movement.objects.create(
        lot=lot,
        sequence=last.sequence + 1 if last else 1,
        kind=kind,
        quantity=amount,
        balance=before + amount,
        location=location,
        reference=line.reference,
        reason=line.reason.strip(),
        moved_at=moved_at,
        moved_by=actor.trail_identity().name,
        recorded_at=at,
    )


def exact(quantity: Decimal) -> Decimal:
    """Return a quantity with the digits that are stored; raise where they are not enough."""
    if not quantity.is_finite() or abs(quantity) >= LARGEST:
        raise QuantityInvalid(f"{quantity} is no amount that can be recorded")
    if quantity != quantity.quantize(PLACES):
        raise QuantityInvalid(f"{quantity} has more than six decimal places")
    return quantity.quantize(PLACES)


def _amount(lot: MaterialLot, kind: MovementKind, *, quantity: Decimal, unit: str) -> Decimal:
    if unit != lot.unit:
        raise QuantityInvalid(f"{lot.number} is counted in {lot.unit}, not in {unit or 'nothing'}")
    amount = exact(quantity)
    if kind == MovementKind.MOVED:
        if amount != 0:
            raise QuantityInvalid("a move changes the place and no amount: give 0")
        return amount
    if amount == 0 or (amount < 0 and kind != MovementKind.ADJUSTED):
        raise QuantityInvalid("give an amount above nothing")
    return -amount if kind in DECREASES else amount


def _in_words(lot: MaterialLot) -> str:
    return "in quarantine" if lot.state == LotState.QUARANTINE else lot.get_state_display().lower()
