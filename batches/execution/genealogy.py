"""Follow material through batches: what went into one, and where a lot went (211.188(b)(3))."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from batches.assets.models import MaterialLot
from batches.execution import states
from batches.execution.actions import Action
from batches.execution.models import Batch, Charge, ProducedLot
from batches.execution.states import Step
from compliance.access import authority
from compliance.access.duties import Duty
from compliance.access.models import User
from compliance.refusals import Refused
from compliance.trail import recording

MOST_LEVELS = 20


class LotMade(Refused):
    """A lot comes from one batch."""

    code = "lot-made"


class OwnComponent(Refused):
    """A lot that went into a batch is not what the batch became."""

    code = "own-component"


@dataclass(frozen=True)
class Link:
    """One edge of the genealogy, at so many batches from where it was asked."""

    level: int
    batch: Batch
    lot: MaterialLot


def produced(batch: Batch, *, lot: MaterialLot, actor: User, at: datetime) -> ProducedLot:
    """Say which lot a batch became."""
    authority.demand(actor, Duty.RECORD_EXECUTION)
    with recording.recording(
        Action.LOT_PRODUCED, actor=actor, at=at, reason=f"batch {batch.number} became {lot.number}"
    ):
        held = states.hold(batch, Step.RECORD_EVENT)
        if ProducedLot.objects.filter(lot=lot).exists():
            raise LotMade(f"{lot.number} was made by another batch")
        if lot.supplier_id is not None:
            raise LotMade(f"{lot.number} was received from {lot.supplier}, not made here")
        if held.charges.filter(lot=lot).exists() or any(
            step.batch.pk == held.pk for step in used_in(lot)
        ):
            raise OwnComponent(f"{lot.number} went into {held.number}")
        return ProducedLot.objects.create(batch=held, lot=lot, recorded_by=actor, recorded_at=at)


def went_into(batch: Batch) -> list[Link]:
    """Return every lot that went into a batch, and through the batches that made them, back."""
    return _walk([batch.pk], _lots_of_batches)


def used_in(lot: MaterialLot) -> list[Link]:
    """Return every batch that a lot went into, and those that its products went into."""
    return _forward([lot.pk])


def _lots_of_batches(batches: Iterable[int]) -> list[Charge]:
    return list(
        Charge.objects.filter(batch__in=batches)
        .select_related("batch__recipe__product", "lot__material")
        .order_by("batch__number", "lot__number", "pk")
    )


def _walk(batches: list[int], charges: Callable[[Iterable[int]], list[Charge]]) -> list[Link]:
    found: list[Link] = []
    seen: set[int] = set(batches)
    level = 0
    while batches and level < MOST_LEVELS:
        level += 1
        made = _distinct(charges(batches))
        found += [Link(level, charge.batch, charge.lot) for charge in made]
        lots = [charge.lot_id for charge in made]
        earlier = ProducedLot.objects.filter(lot__in=lots).values_list("batch_id", flat=True)
        batches = [one for one in dict.fromkeys(earlier) if one not in seen]
        seen.update(batches)
    return found


def _forward(lots: list[int]) -> list[Link]:
    found: list[Link] = []
    seen: set[int] = set()
    level = 0
    while lots and level < MOST_LEVELS:
        level += 1
        made = _distinct(
            Charge.objects.filter(lot__in=lots)
            .select_related("batch__recipe__product", "lot__material")
            .order_by("batch__number", "lot__number", "pk")
        )
        found += [Link(level, charge.batch, charge.lot) for charge in made]
        batches = [charge.batch_id for charge in made if charge.batch_id not in seen]
        seen.update(batches)
        lots = list(ProducedLot.objects.filter(batch__in=batches).values_list("lot_id", flat=True))
    return found


def _distinct(charges: Iterable[Charge]) -> list[Charge]:
    return list({(charge.batch_id, charge.lot_id): charge for charge in charges}.values())
