"""Enter lots that are made here, of other lots (21 CFR 211.188; 211.130)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from batches.assets import genealogy, lots
from batches.assets.actions import Action
from batches.assets.lots import LotInvalid, Receipt
from batches.assets.models import Material, MaterialKind, MaterialLot
from compliance.access import authority
from compliance.access.duties import Duty
from compliance.access.models import User
from compliance.trail import recording


@dataclass(frozen=True)
class Component:
    """How much of which lot went in."""

    lot: MaterialLot
    quantity: Decimal
    unit: str


def make(
    material: Material, *, receipt: Receipt, components: Sequence[Component], actor: User,
    at: datetime,
) -> MaterialLot:  # fmt: skip
    """Enter a lot of an intermediate or a product in quarantine, linked to what it is made of."""
    authority.demand(actor, Duty.RECORD_EXECUTION)
    if receipt.supplier is not None:
        raise LotInvalid("what was made here has no supplier")
    if material.kind not in (MaterialKind.INTERMEDIATE, MaterialKind.PRODUCT):
        raise LotInvalid(f"{material.code} is bought, not made: receive it")
    with recording.recording(
        Action.LOT_MADE, actor=actor, at=at, reason=f"a lot of {material.code} was made"
    ):
        lot = lots.enter(material, receipt=receipt, actor=actor, at=at)
        for one in components:
            genealogy.link(
                lot, child=one.lot, quantity=one.quantity, unit=one.unit, actor=actor, at=at
            )
    return lot
