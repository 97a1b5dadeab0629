"""Fill the demonstration's store: invented suppliers, what they may supply, and lots of it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from batches.assets import lots, suppliers
from batches.assets.lots import Receipt
from batches.assets.models import LotState, Material, MaterialLot, Supplier, SupplierApproval
from compliance.access.models import User
from compliance.signatures.signing import Confirmed
from twins.plant.batch_details import lot_of

# Code, name and address; no such company exists.
SUPPLIERS = (
    ("SUP-CELLS", "Arbor Cell Bank (invented)", "1 Example Street, Exampleton"),
    ("SUP-MEDIA", "Lumen Media Works (invented)", "2 Example Street, Exampleton"),
    ("SUP-BAGS", "Parcel and Bag Company (invented)", "3 Example Street, Exampleton"),
)
TAKEN_OVER = "taken over from the book of the warehouse, with its receipt"


@dataclass(frozen=True)
class Stocked:
    """One lot in the store: when it came, how long it lasts, and what quality said of it."""

    number: str
    material: str
    supplier: str
    quantity: int
    received_days_ago: int
    expires_in_days: int
    standing: LotState
    reason: str = "certificate of analysis and identity agree with the specification"


LOTS = (
    Stocked(lot_of("MAT-SEED"), "MAT-SEED", "SUP-CELLS", 200, 40, 150, LotState.RELEASED),
    Stocked(lot_of("MAT-MEDIUM"), "MAT-MEDIUM", "SUP-MEDIA", 3000, 30, 120, LotState.RELEASED),
    Stocked(lot_of("MAT-FEED"), "MAT-FEED", "SUP-MEDIA", 2000, 30, 90, LotState.RELEASED),
    Stocked(lot_of("MAT-BAG"), "MAT-BAG", "SUP-BAGS", 40, 60, 700, LotState.RELEASED),
    Stocked("MAT-FEED-0002", "MAT-FEED", "SUP-MEDIA", 500, 2, 180, LotState.QUARANTINE),
    Stocked(
        "MAT-BAG-0002", "MAT-BAG", "SUP-BAGS", 20, 6, 700, LotState.BLOCKED,
        "the seal of two pouches of twenty is torn: nothing of it is used until quality decides",
    ),
)  # fmt: skip


def fill(
    *, warehouse: User, quality: User, sign: Callable[[User], Confirmed], at: datetime
) -> None:
    """Enter the suppliers and lots that are missing, each by who does it; safe to run again."""
    known = set(Supplier.objects.values_list("code", flat=True))
    for code, name, address in SUPPLIERS:
        if code not in known:
            suppliers.register(code=code, name=name, address=address, actor=quality, at=at)
    for one in LOTS:
        _approve(one, quality=quality, at=at)
        _decide(_received(one, by=warehouse, at=at), one, quality=quality, sign=sign, at=at)


def _approve(one: Stocked, *, quality: User, at: datetime) -> None:
    approvals = SupplierApproval.objects.filter(
        supplier__code=one.supplier, material__code=one.material
    )
    if not approvals.exists():
        suppliers.approve(
            Supplier.objects.get(code=one.supplier),
            material=Material.objects.get(code=one.material),
            valid_from=(at - timedelta(days=365)).astimezone(UTC).date(),
            valid_until=(at + timedelta(days=365)).astimezone(UTC).date(),
            basis="audit of last year, and three lots without a complaint",
            actor=quality,
            at=at,
        )


def _received(one: Stocked, *, by: User, at: datetime) -> MaterialLot:
    known = MaterialLot.objects.filter(number=one.number).first()
    if known is not None:
        return known
    material = Material.objects.get(code=one.material)
    receipt = Receipt(
        number=one.number,
        supplier=Supplier.objects.get(code=one.supplier),
        supplier_lot=f"{one.supplier}-{one.number[-4:]}",
        quantity=Decimal(one.quantity),
        unit=material.unit,
        container_count=max(1, one.quantity // 200),
        received_at=at - timedelta(days=one.received_days_ago),
        expires_on=(at + timedelta(days=one.expires_in_days)).astimezone(UTC).date(),
        location="Cold store, rack 2" if material.unit == "L" else "Packaging store, rack 1",
        plausibility_note=TAKEN_OVER if one.received_days_ago > 7 else "",
    )
    return lots.receive(material, receipt=receipt, actor=by, at=at)


def _decide(
    lot: MaterialLot, one: Stocked, *, quality: User, sign: Callable[[User], Confirmed],
    at: datetime,
) -> None:  # fmt: skip
    """Decide once; what a visitor does with a lot afterwards stays as it is."""
    if lot.decided_at is not None or one.standing == LotState.QUARANTINE:
        return
    if one.standing == LotState.BLOCKED:
        lots.block(lot, actor=quality, at=at, reason=one.reason)
    else:
        lots.release(lot, confirmed=sign(quality), reason=one.reason)
