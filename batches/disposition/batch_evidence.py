"""Say which records of the trail belong to a batch, for its evidence bundle (21 CFR 211.188)."""

from collections.abc import Iterator

from django.db.models import TextField
from django.db.models.functions import Cast

from batches.execution import belongings
from batches.execution.models import Batch
from compliance.signatures.models import Signature
from compliance.trail import capture, subjects
from compliance.trail.subjects import Named
from compliance.trail.verifier.contents import Kind, Record


def of_batch(number: str) -> Named | None:
    """Return the records of a batch: what was made, measured, found, decided and signed."""
    batch = Batch.objects.select_related("recipe__product").filter(number=number).first()
    if batch is None:
        return None
    return Named(
        title=f"Batch {batch.number}",
        description=f"{batch.recipe.product.name}, made by {batch.recipe}.",
        records=tuple(records(batch)),
    )


def records(batch: Batch) -> Iterator[Record]:
    """Yield every record of a batch with every signature under one of them."""
    yield from belongings.keys(batch)
    table = capture.record_of(Signature)
    own = Signature.objects.filter(record=capture.record_of(Batch), record_id=str(batch.pk))
    groups = [own]
    for part in belongings.parts():
        rows = part.rows(batch)
        keys = rows.order_by().annotate(key=Cast("pk", TextField())).values("key")
        name = capture.record_of(rows.model)
        groups.append(Signature.objects.filter(record=name, record_id__in=keys))
    for group in groups:
        for pk in group.order_by("pk").values_list("pk", flat=True):
            yield (table, str(pk))


subjects.register(Kind.BATCH, of_batch)
