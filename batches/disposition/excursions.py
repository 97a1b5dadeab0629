"""Find the readings, results and recorded measurements of a batch outside the recipe's limits."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation

from django.db import connection

from batches.execution.models import Batch, BatchEvent, EventKind
from batches.laboratory.models import Result
from batches.recipes.models import Criticality, Parameter, ParameterKind


@dataclass(frozen=True)
class Excursion:
    """Values of one parameter outside its limits: how many, and the first of them."""

    parameter: Parameter
    kind: str  # "reading", "result" or "measurement"
    count: int
    first_at: datetime
    first_value: Decimal

    def __str__(self) -> str:
        return (
            f"{self.parameter.tag}: {self.count} {self.kind}{'s' if self.count > 1 else ''} "
            f"outside {self.parameter.limits_text}, first {self.first_value} "
            f"at {self.first_at.isoformat()}"
        )


def of(batch: Batch) -> Iterator[Excursion]:
    """Yield every parameter's excursions, by tag."""
    for parameter in batch.recipe.parameters.order_by("tag"):
        if parameter.low is None and parameter.high is None:
            continue
        if parameter.kind == ParameterKind.READING:
            yield from _of_readings(batch, parameter)
        else:
            yield from _of("result", parameter, _results(batch, parameter))
        yield from _of("measurement", parameter, _measurements(batch, parameter))


def is_outside(parameter: Parameter, value: Decimal) -> bool:
    return (parameter.low is not None and value < parameter.low) or (
        parameter.high is not None and value > parameter.high
    )


def _of(
    kind: str, parameter: Parameter, values: Iterator[tuple[datetime, Decimal]]
) -> Iterator[Excursion]:
    outside = sorted((at, value) for at, value in values if is_outside(parameter, value))
    if outside:
        at, value = outside[0]
        yield Excursion(parameter, kind, len(outside), at, value)


def _of_readings(batch: Batch, parameter: Parameter) -> Iterator[Excursion]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), min(ARRAY[extract(epoch FROM observed_at), value]), min(observed_at)"
            " FROM execution_reading"
            " WHERE batch_id = %s AND tag = %s AND (value < %s OR value > %s)",
            [
                batch.pk,
                parameter.tag,
                Decimal("-Infinity") if parameter.low is None else parameter.low,
                Decimal("Infinity") if parameter.high is None else parameter.high,
            ],
        )
        count, first, first_at = cursor.fetchone()
    if count:
        yield Excursion(parameter, "reading", count, first_at, first[1])


def _results(batch: Batch, parameter: Parameter) -> Iterator[tuple[datetime, Decimal]]:
    """Yield the current results that count: of a quality attribute the last sample's, which is the
    product; of anything else every sample's."""
    found = (
        Result.objects.current()
        .filter(sample__batch=batch, tag=parameter.tag)
        .order_by("-sample__taken_at", "-pk")
        .values_list("sample__taken_at", "value")
    )
    yield from found[:1] if parameter.criticality == Criticality.CQA else found


def _measurements(batch: Batch, parameter: Parameter) -> Iterator[tuple[datetime, Decimal]]:
    """Yield measurements recorded as events (an MES log); a text that is no number is not one."""
    recorded = BatchEvent.objects.filter(
        batch=batch, kind=EventKind.MEASUREMENT, tag=parameter.tag, unit=parameter.unit
    ).values_list("occurred_at", "value")
    for at, text in recorded:
        try:
            value = Decimal(text)
        except InvalidOperation:
            continue
        if value.is_finite():
            yield at, value
