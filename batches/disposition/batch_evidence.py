"""Say which records of the trail belong to a batch, for its evidence bundle (21 CFR 211.188)."""

from collections.abc import Iterator

from django.db import models

from batches.disposition.models import Decision
from batches.execution.models import Batch
from batches.laboratory.models import Result
from compliance.quality import belonging
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
        records=tuple(_records(batch)),
    )


def _records(batch: Batch) -> Iterator[Record]:
    deviations = batch.deviations.all()
    samples = batch.samples.all()
    groups: list[models.QuerySet[models.Model]] = [
        Batch.objects.filter(pk=batch.pk),
        batch.phases.all(),
        batch.events.all(),
        batch.segments.all(),
        samples,
        Result.objects.filter(sample__in=samples),
        deviations,
        Batch.deviations.through.objects.filter(batch=batch),
        *belonging.of_deviations(deviations),
        Decision.objects.filter(batch=batch),
    ]
    signed: list[Record] = []
    for group in groups:
        table = capture.record_of(group.model)
        records = [(table, str(pk)) for pk in group.values_list("pk", flat=True)]
        yield from records
        if group.model._meta.model_name in ("batch", "deviation"):
            signed += records
    for table in {name for name, _ in signed}:
        signatures = Signature.objects.filter(
            record=table, record_id__in=[pk for name, pk in signed if name == table]
        )
        for pk in signatures.values_list("pk", flat=True):
            yield (capture.record_of(Signature), str(pk))


subjects.register(Kind.BATCH, of_batch)
