"""Compare what is counted with what the ledger says (21 CFR 211.125(c), 211.184(c))."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Sum

from batches.assets import ledger, lot_states
from batches.assets.actions import Action
from batches.assets.ledger import Line
from batches.assets.lot_states import LotStep
from batches.assets.models import MaterialLot, MovementKind, StockCount
from compliance.access import authority
from compliance.access.duties import Duty
from compliance.access.models import User
from compliance.quality import deviations
from compliance.quality.models import Deviation, Severity
from compliance.trail import recording


@dataclass(frozen=True)
class Account:
    """What came into a lot, what left it and how, and what must be there; for labels read
    printed, used, returned and destroyed."""

    received: Decimal
    dispensed: Decimal
    returned: Decimal
    sampled: Decimal
    scrapped: Decimal
    adjusted: Decimal
    balance: Decimal

    @property
    def used(self) -> Decimal:
        """What was dispensed and did not come back."""
        return self.dispensed - self.returned


def account(lot: MaterialLot) -> Account:
    """Add up a lot's ledger by kind of movement."""
    totals = lot.movements.values_list("kind").annotate(Sum("quantity"))
    sums: dict[str, Decimal] = {str(kind): total for kind, total in totals}
    return Account(
        received=sums.get("received", Decimal(0)),
        dispensed=-sums.get("dispensed", Decimal(0)),
        returned=sums.get("returned", Decimal(0)),
        sampled=-sums.get("sampled", Decimal(0)),
        scrapped=-sums.get("scrapped", Decimal(0)),
        adjusted=sums.get("adjusted", Decimal(0)),
        balance=ledger.balance(lot),
    )


def count(
    lot: MaterialLot, *, counted: Decimal, unit: str, actor: User, at: datetime, explanation: str
) -> StockCount:
    """Record a count and adjust the ledger to it; beyond the material's limit, open a deviation."""
    authority.demand(actor, Duty.RECEIVE_MATERIAL)
    text = recording.demand_reason(explanation)
    found = ledger.exact(counted)
    if found < 0 or unit != lot.unit:
        raise ledger.QuantityInvalid(f"count {lot.number} in {lot.unit}; nothing is 0")
    with recording.recording(Action.STOCK_COUNTED, actor=actor, at=at, reason=text):
        held = lot_states.take(lot, LotStep.COUNT)
        book = ledger.balance(held)
        limit = held.material.reconciliation_limit_percent
        is_within = abs(found - book) * 100 <= limit * held.quantity
        deviation = None if is_within else _open_deviation(held, book, found, actor=actor, at=at)
        made = StockCount.objects.create(
            lot=held,
            counted=found,
            book=book,
            limit_percent=limit,
            is_within_limit=is_within,
            explanation=text,
            counted_at=at,
            counted_by=actor,
            deviation=deviation,
        )
        if found != book:
            ledger.append(
                held,
                MovementKind.ADJUSTED,
                found - book,
                line=Line(reason=text),
                actor=actor,
                at=at,
            )
    return made


def _open_deviation(
    lot: MaterialLot, book: Decimal, counted: Decimal, *, actor: User, at: datetime
) -> Deviation:
    limit = lot.material.reconciliation_limit_percent
    return deviations.open_(
        title=f"Reconciliation of {lot.number} outside its limit",
        description=f"{lot.number} of {lot.material.code} holds {book.normalize():f} {lot.unit} by "
        f"its ledger; {counted.normalize():f} {lot.unit} were counted. The limit is "
        f"{limit.normalize():f} % of {lot.quantity.normalize():f} {lot.unit}.",
        severity=Severity.MAJOR,
        occurred_at=at,
        actor=actor,
        at=at,
    )
