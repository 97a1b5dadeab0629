"""Say which records belong to a set of batches."""

from django.db.models import QuerySet

from batches.assets.models import EquipmentUse
from batches.execution.models import (
    Batch,
    BatchEvent,
    BatchPhase,
    DispositionState,
    ReadingSegment,
)
from compliance.inspection import scopes
from compliance.inspection.scopes import Numbers
from compliance.quality.models import Deviation


@scopes.rows_of(Batch)
def _batches(numbers: Numbers) -> QuerySet[Batch]:
    return Batch.objects.filter(number__in=numbers)


@scopes.rows_of(BatchPhase)
def _phases(numbers: Numbers) -> QuerySet[BatchPhase]:
    return BatchPhase.objects.filter(batch__number__in=numbers)


@scopes.rows_of(BatchEvent)
def _events(numbers: Numbers) -> QuerySet[BatchEvent]:
    return BatchEvent.objects.filter(batch__number__in=numbers)


@scopes.rows_of(EquipmentUse)
def _uses(numbers: Numbers) -> QuerySet[EquipmentUse]:
    return EquipmentUse.objects.filter(campaign__in=numbers)


@scopes.rows_of(ReadingSegment)
def _segments(numbers: Numbers) -> QuerySet[ReadingSegment]:
    return ReadingSegment.objects.filter(batch__number__in=numbers)


@scopes.rows_of(Deviation)
def _deviations(numbers: Numbers) -> QuerySet[Deviation]:
    return Deviation.objects.filter(batches__number__in=numbers).distinct()


@scopes.known_batches
def _known(numbers: Numbers) -> frozenset[str]:
    return frozenset(Batch.objects.filter(number__in=numbers).values_list("number", flat=True))


@scopes.released_batches
def _released(numbers: Numbers) -> frozenset[str]:
    released = Batch.objects.filter(disposition=DispositionState.RELEASED)
    if numbers:
        released = released.filter(number__in=numbers)
    return frozenset(released.values_list("number", flat=True))
