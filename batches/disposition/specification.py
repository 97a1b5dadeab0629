"""Say where a batch does not meet its registered specification (21 CFR 211.165; Annex 16, 3)."""

from collections.abc import Iterator

from django.db import connection

from batches.disposition import excursions
from batches.execution import measurements
from batches.execution.models import Batch, BatchEvent, EventKind
from batches.laboratory.models import Result
from batches.quantities import units
from batches.recipes.models import Parameter, ParameterKind


def missing(batch: Batch) -> Iterator[str]:
    """Yield each value that the recipe demands and nobody reported."""
    for parameter in batch.recipe.parameters.filter(is_required=True).order_by("tag"):
        if not has_value(batch, parameter):
            kind = parameter.get_kind_display().lower()
            article = "an" if kind[0] in "aeiou" else "a"
            yield f"{parameter.tag}: the recipe demands {article} {kind}"


def failing(batch: Batch) -> Iterator[str]:
    """Yield each quality attribute whose result is outside its limits: no deviation heals that."""
    for one in excursions.of(batch):
        if one.kind == "result" and one.is_quality_attribute:
            yield f"{one}: the product does not meet its specification"


def has_value(batch: Batch, parameter: Parameter) -> bool:
    """Say whether a value of a parameter is on record that its limits can be compared with."""
    tag = parameter.tag
    if parameter.kind == ParameterKind.RESULT:
        return Result.objects.filter(sample__batch=batch, tag=tag).exists()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM execution_reading WHERE batch_id = %s AND tag = %s)",
            [batch.pk, tag],
        )
        (found,) = cursor.fetchone()
    if found or batch.in_process_results.filter(parameter__tag=tag).exists():  # by people
        return True
    measured = BatchEvent.objects.filter(batch=batch, kind=EventKind.MEASUREMENT, tag=tag)
    return any(
        measurements.number(one.value) is not None and units.is_same(one.unit, parameter.unit)
        for one in measured
    )
