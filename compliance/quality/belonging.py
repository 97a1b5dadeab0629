"""Say which records belong to deviations: what their evidence and their review have to have."""

from typing import Any

from django.db.models import QuerySet

from compliance.quality.models import (
    CauseConsidered,
    Classification,
    Deviation,
    DeviationNote,
    Extension,
    Neighbour,
    RecurrenceAnswer,
)

_PARTS: tuple[type[Any], ...] = (
    DeviationNote, Classification, CauseConsidered, Neighbour, RecurrenceAnswer, Extension,
)  # fmt: skip


def of_deviations(deviations: QuerySet[Deviation]) -> list[QuerySet[Any]]:
    """Return the parts of deviations, a query for each table."""
    return [part.objects.filter(deviation__in=deviations) for part in _PARTS]
