"""Enter in the plant's registers what a batch of the demonstration used, and what it became.

The MES posts what happened; people carry it over into the ledgers of the lots and the log books of
the equipment, as a plant does whose systems are not joined.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

from batches.assets import equipment, ledger, lots, making
from batches.assets.equipment import EquipmentInvalid
from batches.assets.ledger import Line
from batches.assets.lots import Receipt
from batches.assets.making import Component
from batches.assets.models import Equipment, Material, MaterialLot, MovementKind
from batches.execution import genealogy
from batches.execution.models import Batch
from batches.recipes.drafts import MaterialDraft
from compliance.access.models import User
from compliance.refusals import Refused
from compliance.signatures.signing import Confirmed
from twins.plant import recipe_draft
from twins.plant.batch_details import Train, lot_of

PRODUCT = "MAT-DEMOMAB"
SHELF_LIFE = timedelta(days=1095)


def enter(number: str, train: Train, *, operator: User, at: datetime) -> Iterator[str]:
    """Enter what a batch used and became; yield what a register refuses, and why.

    It refuses in an installation that has run for a while: a lot is used up, a calibration is due.
    """
    batch = Batch.objects.select_related("recipe__product").get(number=number)
    for line in recipe_draft.draft().materials:
        yield from _refusal(partial(_charged, batch, line, operator=operator, at=at))
    for code in (train.bioreactor, train.feed_pump, train.ph_meter):
        yield from _refusal(partial(_used, batch, code, operator=operator, at=at))
    yield from _refusal(partial(_became, batch, operator=operator, at=at))


def decide(number: str, *, is_released: bool, confirmed: Confirmed) -> None:
    """Release or reject the lot that a batch became, after the batch itself."""
    lot = MaterialLot.objects.filter(number=product_lot(number)).first()
    if lot is None:
        return
    if is_released:
        lots.release(lot, confirmed=confirmed, reason=f"batch {number} is released")
    else:
        lots.reject(lot, confirmed=confirmed, reason=f"batch {number} is rejected")


def product_lot(number: str) -> str:
    return f"DS-{number}"


def _refusal(act: Callable[[], None]) -> Iterator[str]:
    try:
        act()
    except Refused as refused:
        yield str(refused)


def _charged(batch: Batch, line: MaterialDraft, *, operator: User, at: datetime) -> None:
    ledger.move(
        MaterialLot.objects.get(number=lot_of(line.material)),
        MovementKind.DISPENSED,
        quantity=line.quantity,
        unit=line.unit,
        line=Line(reason="charged, as the MES recorded it", reference=batch.number),
        actor=operator,
        at=at,
    )


def _used(batch: Batch, code: str, *, operator: User, at: datetime) -> None:
    held = Equipment.objects.get(code=code)
    at_once = held.uses.exclude(campaign=batch.number).filter(
        used_from__lt=batch.ended_at, used_until__gt=batch.started_at
    )
    if (other := at_once.first()) is not None:  # of a demonstration that ran here before
        raise EquipmentInvalid(f"{code} was in use for {other.purpose} at that time")
    equipment.mark_used(
        held,
        purpose=f"batch {batch.number}",
        campaign=batch.number,
        product=batch.recipe.product.code,
        by_text=operator.username,
        used_from=batch.started_at,
        used_until=batch.ended_at,
        actor=operator,
        at=at,
    )


def _became(batch: Batch, *, operator: User, at: datetime) -> None:
    [expected] = recipe_draft.draft().yields
    receipt = Receipt(
        number=product_lot(batch.number),
        quantity=expected.quantity,
        unit=expected.unit,
        received_at=batch.ended_at or at,
        expires_on=(at + SHELF_LIFE).astimezone(UTC).date(),
        location="Freezer, -70 Cel",
    )
    components = [
        Component(MaterialLot.objects.get(number=lot_of(line.material)), line.quantity, line.unit)
        for line in recipe_draft.draft().materials
        if line.unit != "{piece}"
    ]
    lot = making.make(
        Material.objects.get(code=PRODUCT), receipt=receipt, components=components,
        actor=operator, at=at,
    )  # fmt: skip
    genealogy.produced(batch, lot=lot, actor=operator, at=at)
