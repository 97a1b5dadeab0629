"""Find batches by the numbers that somebody names."""

from collections.abc import Sequence

from batches.execution.models import Batch
from compliance.refusals import Refused


class BatchUnknown(Refused):
    """A number that is named is that of no batch."""

    code = "bulk-batch-unknown"
    status = 422


def one(number: str) -> Batch:
    """Return the batch of a number with its recipe; raise `BatchUnknown`."""
    return all_of([number])[0]


def all_of(numbers: Sequence[str]) -> list[Batch]:
    """Return the batches of these numbers, each once; raise `BatchUnknown` naming what is none."""
    found = list(
        Batch.objects.filter(number__in=numbers).select_related("recipe").order_by("number")
    )
    if unknown := sorted(set(numbers) - {batch.number for batch in found}):
        raise BatchUnknown(f"there is no batch {', '.join(unknown[:10])}")
    return found
