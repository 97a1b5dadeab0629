"""Say which records of the trail belong to a batch, for its evidence bundle (21 CFR 211.188)."""

from collections.abc import Iterator

from django.db import connection

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
    keys = belongings.keys(batch)
    yield from keys
    table = capture.record_of(Signature)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT s.id FROM {Signature._meta.db_table} s "  # noqa: S608 -- a table of ours
            "JOIN unnest(%s::text[], %s::text[]) AS k(record, record_id) "
            "ON s.record = k.record AND s.record_id = k.record_id ORDER BY s.id",
            [[name for name, _ in keys], [key for _, key in keys]],
        )
        for (pk,) in cursor.fetchall():
            yield (table, str(pk))


subjects.register(Kind.BATCH, of_batch)
