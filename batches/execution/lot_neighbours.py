"""Name the batches that share a material lot with a deviation, or were made of its batches (211.192)."""

from collections.abc import Iterator

from batches.assets.models import MaterialLot, StockCount
from batches.execution import genealogy, recorded
from batches.execution.models import Batch
from compliance.quality import scope
from compliance.quality.models import Deviation
from compliance.quality.scope import Suggestion

BATCH = "batch"


@scope.register("same-lot")
def same_lot(deviation: Deviation) -> Iterator[Suggestion]:
    """Name the batches that a lot of a linked batch went into, or a lot that a linked batch became,
    or one whose count opened the deviation; through the lots that were made of it."""
    linked = {one.pk: one for one in deviation.batches.order_by("number")}
    for batch in linked.values():
        charged = MaterialLot.objects.filter(charges__batch=batch).distinct()
        for lot in charged.order_by("number"):
            yield from _went_into(lot, linked, f"got lot {lot.number} as {batch.number} did")
        for material, number in sorted(recorded.charged_lots(batch)):
            because = f"got lot {number} of {material} as {batch.number} did"
            for other in recorded.batches_with(material, number):
                if other.pk not in linked:
                    yield Suggestion(kind=BATCH, name=other.number, because=because)
        for made in batch.produced.select_related("lot").order_by("lot__number"):
            because = f"got lot {made.lot.number}, which {batch.number} became"
            yield from _went_into(made.lot, linked, because)
    for count in StockCount.objects.filter(deviation=deviation).select_related("lot"):
        because = f"got lot {count.lot.number}, whose count is outside its limit"
        yield from _went_into(count.lot, linked, because)


def _went_into(lot: MaterialLot, linked: dict[int, Batch], because: str) -> Iterator[Suggestion]:
    for link in genealogy.used_in(lot):
        if link.batch.pk not in linked:
            through = "" if link.level == 1 else f", through {link.lot.number}"
            yield Suggestion(kind=BATCH, name=link.batch.number, because=because + through)
