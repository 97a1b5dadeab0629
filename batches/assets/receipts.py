"""Judge what is said of a new lot: what cannot be, and what is not plausible (Annex 11 draft, 10)."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from batches.assets import ledger
from batches.assets.models import Material, Supplier
from compliance.refusals import Refused

LONGEST_LIFE = timedelta(days=3653)
RECEIVED_LATE = timedelta(days=7)


class LotInvalid(Refused):
    code = "lot-invalid"
    status = 422


class Implausible(Refused):
    """It can be right, but looks wrong: it is taken with a reason (Annex 11 draft 2025, 10)."""

    code = "implausible"
    status = 422


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What a person finds on a delivery and its papers."""

    quantity: Decimal
    unit: str
    received_at: datetime
    location: str
    supplier: Supplier | None = None
    supplier_lot: str = ""
    container_count: int = 1
    expires_on: date | None = None
    retest_on: date | None = None
    number: str = ""
    plausibility_note: str = ""


def demand_valid(material: Material, receipt: Receipt, *, at: datetime) -> None:
    if receipt.unit != material.unit:
        raise LotInvalid(f"{material.code} is counted in {material.unit}, not in {receipt.unit}")
    if ledger.exact(receipt.quantity) <= 0 or receipt.container_count < 1:
        raise LotInvalid("a lot has a quantity above nothing, in one container or more")
    if receipt.received_at > at + ledger.CLOCK_TOLERANCE:
        raise LotInvalid("a lot is received now or earlier: this is the future")
    if not receipt.location.strip():
        raise LotInvalid("say where the lot is stored")
    on = receipt.received_at.astimezone(UTC).date()
    if any(day is not None and day < on for day in (receipt.expires_on, receipt.retest_on)):
        raise LotInvalid("expiry and retest are not before the receipt: read the label again")


def demand_plausible(material: Material, receipt: Receipt, *, at: datetime) -> None:
    doubts = []
    if material.largest_receipt is not None and receipt.quantity > material.largest_receipt:
        doubts.append(
            f"{receipt.quantity} {receipt.unit} is more than the usual "
            f"{material.largest_receipt.normalize():f}"
        )
    if receipt.expires_on and receipt.expires_on > (receipt.received_at + LONGEST_LIFE).date():
        doubts.append(f"it expires on {receipt.expires_on}, in more than ten years")
    if at - receipt.received_at > RECEIVED_LATE:
        doubts.append("it was received more than a week ago")
    if doubts and len(receipt.plausibility_note.strip()) < 8:
        raise Implausible(f"{'; '.join(doubts)}: correct it, or note why it is right")


def next_retest(material: Material, received_at: datetime) -> date | None:
    if material.retest_interval_days is None:
        return None
    return (received_at + timedelta(days=material.retest_interval_days)).astimezone(UTC).date()
