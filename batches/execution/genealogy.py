"""Follow material through batches: what went into one, and where a lot went (211.188(b)(3))."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from batches.assets.models import MaterialLot
from batches.execution import recorded, states
from batches.execution.actions import Action
from batches.execution.models import Batch, Charge, ProducedLot
from batches.execution.states import Step
from compliance.access import authority
from compliance.access.duties import Duty
from compliance.access.models import User
from compliance.refusals import Refused
from compliance.trail import recording

MOST_LEVELS = 20
Edge = tuple[Batch, MaterialLot]


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
    """Return every lot that went into a batch, and through the batches that made them, back.

    As people charged it, and as a system says in an addition that names a lot of the register.
    """
    found: list[Link] = []
    batches, seen, level = [batch.pk], {batch.pk}, 0
    while batches and level < MOST_LEVELS:
        level += 1
        edges = _distinct([*_charged(batch__in=batches), *_posted_to(batches)])
        found += [Link(level, *edge) for edge in edges]
        lots = [lot.pk for _, lot in edges]
        earlier = ProducedLot.objects.filter(lot__in=lots).values_list("batch_id", flat=True)
        batches = [one for one in dict.fromkeys(earlier) if one not in seen]
        seen.update(batches)
    return found


def used_in(lot: MaterialLot) -> list[Link]:
    """Return every batch that a lot went into, and those that its products went into."""
    found: list[Link] = []
    lots, seen, level = [lot.pk], set[int](), 0
    while lots and level < MOST_LEVELS:
        level += 1
        edges = _distinct([*_charged(lot__in=lots), *_posted_with(lots)])
        found += [Link(level, *edge) for edge in edges]
        batches = [batch.pk for batch, _ in edges if batch.pk not in seen]
        seen.update(batches)
        lots = list(ProducedLot.objects.filter(batch__in=batches).values_list("lot_id", flat=True))
    return found


def _charged(**of: Iterable[int]) -> list[Edge]:
    charges = Charge.objects.filter(**of).select_related("batch__recipe__product", "lot__material")
    return [(charge.batch, charge.lot) for charge in charges]


def _posted_to(batches: Iterable[int]) -> list[Edge]:
    named = {
        batch: recorded.added_lots(batch)
        for batch in Batch.objects.filter(pk__in=batches).select_related("recipe__product")
    }
    numbers = {number for pairs in named.values() for _, number in pairs}
    known = {
        (lot.material.code, lot.number): lot
        for lot in MaterialLot.objects.filter(number__in=numbers).select_related("material")
    }
    return [
        (batch, known[pair]) for batch, pairs in named.items() for pair in pairs if pair in known
    ]


def _posted_with(lots: Iterable[int]) -> list[Edge]:
    found = MaterialLot.objects.filter(pk__in=lots).select_related("material")
    return [
        (batch, lot)
        for lot in found
        for batch in recorded.batches_with(lot.material.code, lot.number)
    ]


def _distinct(edges: Iterable[Edge]) -> list[Edge]:
    once = {(batch.pk, lot.pk): (batch, lot) for batch, lot in edges}
    return sorted(once.values(), key=lambda edge: (edge[0].number, edge[1].number))
