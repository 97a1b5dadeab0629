"""Say at which moments of a batch a prediction is due."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice

from django.db.models import Max, Q, QuerySet

from batches.execution.models import Batch, BatchState, DispositionState, ReadingSegment
from batches.recipes.models import MasterRecipe
from compliance.refusals import Refused
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
        if segment.batch.started_at
        else ()
    )


def reached(batch: Batch) -> list[datetime]:
    """Return all moments of the grid that the readings have reached, oldest first."""
    latest = _latest(ReadingSegment.objects.filter(batch=batch))
    return [] if latest is None else list(_grid(batch, after=None, until=latest))


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


def missing_of_all(*, at_most: int) -> Iterator[tuple[Batch, list[datetime] | Refused]]:
    """Yield every predicted batch with its `missing` moments, or why its recipe gives none.

    A handful of queries for all batches together: the sweep over a plant asks every half minute.
    """
    batches = predicted_batches()
    recipes = {batch.recipe_id: batch.recipe for batch in batches}
    steps = {pk: _step(recipe) for pk, recipe in recipes.items()}
    latest = _latest_of(batches)
    known: dict[int, set[datetime]] = defaultdict(set)
    made = Prediction.objects.filter(batch__in=batches)
    for batch_id, as_of in made.values_list("batch_id", "as_of").iterator(chunk_size=10_000):
        known[batch_id].add(as_of)
    for batch in batches:
        step = steps[batch.recipe_id]
        if isinstance(step, Refused):
            yield batch, step
        elif until := latest.get(batch.pk):
            grid = _multiples(batch, step, after=None, until=until)
            yield batch, list(islice((one for one in grid if one not in known[batch.pk]), at_most))


def _latest_of(batches: Sequence[Batch]) -> dict[int, datetime]:
    segments = ReadingSegment.objects.filter(batch__in=batches).order_by()
    return dict(
        segments.values("batch").annotate(latest=Max("last_at")).values_list("batch", "latest")
    )


def _step(recipe: MasterRecipe) -> timedelta | Refused:
    try:
        return timedelta(hours=kinds.of(recipe.twin).every_h(recipe))
    except Refused as refused:
        return refused


def _latest(segments: QuerySet[ReadingSegment]) -> datetime | None:
    latest: datetime | None = segments.aggregate(latest=Max("last_at"))["latest"]
    return latest


def _grid(batch: Batch, *, after: datetime | None, until: datetime) -> Iterator[datetime]:
    """Yield whole multiples of the recipe's interval since the start, in (after, until]."""
    step = timedelta(hours=kinds.of(batch.recipe.twin).every_h(batch.recipe))
    return _multiples(batch, step, after=after, until=until)


def _multiples(
    batch: Batch, step: timedelta, *, after: datetime | None, until: datetime
) -> Iterator[datetime]:
    start = inputs.start_of(batch)
    if batch.ended_at is not None:
        until = min(until, batch.ended_at)
    count = 1 if after is None else max((after - start) // step + 1, 1)
    while start + count * step <= until:
        yield start + count * step
        count += 1
