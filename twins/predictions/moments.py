"""Say at which moments of a batch a prediction is due."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import Max, Q, QuerySet

from batches.execution.models import Batch, BatchState, DispositionState, ReadingSegment
from twins.predictions import inputs, kinds
from twins.predictions.models import Prediction


def predicted_batches() -> list[Batch]:
    """Return the batches beside which a twin runs: running, or ended and not yet decided on."""
    return list(
        Batch.objects.filter(
            Q(state=BatchState.RUNNING)
            | Q(state=BatchState.COMPLETED, disposition=DispositionState.PENDING),
            started_at__isnull=False,
        )
        .exclude(recipe__twin="")
        .select_related("recipe")
        .order_by("pk")
    )


def passed(segment: ReadingSegment) -> list[datetime]:
    """Return the moments of the grid that a segment of readings was the first to reach."""
    before = ReadingSegment.objects.filter(batch=segment.batch_id, pk__lt=segment.pk)
    return list(
        _grid(segment.batch, after=_latest(before), until=segment.last_at)
        if segment.batch.recipe.twin and segment.batch.started_at
        else ()
    )


def missing(batch: Batch, *, at_most: int) -> list[datetime]:
    """Return the moments that the readings have reached and nobody has predicted, oldest first.

    Moments before the last prediction count too: a broker may have lost one of several.
    """
    latest = _latest(ReadingSegment.objects.filter(batch=batch))
    if latest is None:
        return []
    known = set(Prediction.objects.filter(batch=batch).values_list("as_of", flat=True))
    found = [moment for moment in _grid(batch, after=None, until=latest) if moment not in known]
    return found[:at_most]


def _latest(segments: QuerySet[ReadingSegment]) -> datetime | None:
    latest: datetime | None = segments.aggregate(latest=Max("last_at"))["latest"]
    return latest


def _grid(batch: Batch, *, after: datetime | None, until: datetime) -> Iterator[datetime]:
    """Yield whole multiples of the recipe's interval since the start, in (after, until]."""
    start = inputs.start_of(batch)
    step = timedelta(hours=kinds.of(batch.recipe.twin).every_h(batch.recipe))
    if batch.ended_at is not None:
        until = min(until, batch.ended_at)
    count = 1 if after is None else max((after - start) // step + 1, 1)
    while start + count * step <= until:
        yield start + count * step
        count += 1
