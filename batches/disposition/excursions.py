"""Find the readings, results and recorded measurements of a batch outside their limits.

A result that a specification judges is judged by it; anything else by the limits of the recipe.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import NamedTuple

from django.db import connection

from batches.execution import measurements
from batches.execution.models import Batch, BatchEvent, EventKind
from batches.laboratory.models import Judgement, Result
from batches.quantities import units
from batches.recipes.models import Criticality, Parameter, ParameterKind
from compliance.quality.models import Deviation


@dataclass(frozen=True)
class Excursion:
    """Values of one parameter or test outside its limits: how many, and the first as recorded.

    Where only the last of several results is judged, `last_of` says of how many.
    """

    tag: str
    name: str
    limits_text: str
    is_quality_attribute: bool
    kind: str  # "reading", "result" or "measurement"
    count: int
    first_at: datetime
    first_value: str
    last_of: int = 1

    def __str__(self) -> str:
        if self.last_of > 1:
            return (
                f"{self.tag}: the last of {self.last_of} {self.kind}s is outside "
                f"{self.limits_text}, {self.first_value} at {self.first_at.isoformat()}"
            )
        return (
            f"{self.tag}: {self.count} {self.kind}{'s' if self.count > 1 else ''} "
            f"outside {self.limits_text}, first {self.first_value} "
            f"at {self.first_at.isoformat()}"
        )


def words(deviation: Deviation) -> list[str]:
    """Return what a deviation says, itself and by the exceptions that it stands for."""
    return [
        deviation.title, deviation.description, deviation.concerns, deviation.root_cause,
        deviation.impact, deviation.conclusion,
        *(one.text for one in deviation.batch_exceptions.all()),
    ]  # fmt: skip


def is_named(excursion: Excursion, said: Iterable[str]) -> bool:
    """Say whether any of the words names the parameter, by tag or name."""
    names = "|".join(re.escape(name) for name in (excursion.tag, excursion.name))
    name = re.compile(rf"(?<!\w)(?:{names})(?!\w)", re.IGNORECASE)
    return any(name.search(text) for text in said)


class Value(NamedTuple):
    """A value with the moment it stands for, and its text as it was recorded."""

    at: datetime
    number: Decimal
    text: str


Values = dict[str, list[Value]]
# The first value outside of each tag's limits, and how many there are; an open side is infinite.
_OUTSIDE = """
SELECT r.tag, count(*), min(r.observed_at), (array_agg(r.value ORDER BY r.observed_at, r.value))[1]
FROM unnest(%s::text[], %s::numeric[], %s::numeric[]) AS p(tag, low, high)
JOIN execution_reading r ON r.batch_id = %s AND r.tag = p.tag
    AND (r.value < p.low OR r.value > p.high)
GROUP BY r.tag
"""


def of(batch: Batch) -> Iterator[Excursion]:
    """Yield what is outside, by tag: of the recipe, then of the specification; with as many
    questions for any recipe."""
    limited = [
        one
        for one in batch.recipe.parameters.order_by("tag")
        if one.low is not None or one.high is not None
    ]
    readings = _readings(batch, [one for one in limited if one.kind == ParameterKind.READING])
    of_results = {one.tag: one for one in limited if one.kind != ParameterKind.READING}
    reported = _reported(batch, of_results)
    results: Values = {}
    for one in _counting(reported, of_results):
        value = Value(one.sample.taken_at, one.value, one.value_text)
        results.setdefault(one.tag, []).append(value)
    counts = Counter(one.tag for one in reported)
    measured = _measurements(batch, {one.tag: one.unit for one in limited})
    for parameter in limited:
        if parameter.tag in readings:
            count, at, number = readings[parameter.tag]
            yield Excursion(*_named(parameter), "reading", count, at, f"{number:f}")
        last_of = counts[parameter.tag] if _is_last_judged(parameter) else 1
        yield from _of("result", parameter, results.get(parameter.tag, []), last_of=last_of)
        yield from _of("measurement", parameter, measured.get(parameter.tag, []))
    yield from _specified(batch)


def is_outside(parameter: Parameter, value: Decimal) -> bool:
    return (parameter.low is not None and value < parameter.low) or (
        parameter.high is not None and value > parameter.high
    )


def judged(batch: Batch, parameters: Mapping[str, Parameter]) -> list[Result]:
    """Return the current results that the recipe judges and that count: of a quality attribute the
    last sample's, which is the product; of anything else every sample's."""
    return list(_counting(_reported(batch, parameters), parameters))


def _reported(batch: Batch, parameters: Mapping[str, Parameter]) -> list[Result]:
    """Return the current results that no specification judges, the last sample's first."""
    found = Result.objects.current().filter(
        sample__batch=batch, tag__in=list(parameters), test=None
    )
    return list(found.select_related("sample").order_by("-sample__taken_at", "-pk"))


def _counting(reported: Iterable[Result], parameters: Mapping[str, Parameter]) -> Iterator[Result]:
    seen: set[str] = set()
    for result in reported:
        if result.tag not in seen or not _is_last_judged(parameters[result.tag]):
            yield result
        seen.add(result.tag)


def _is_last_judged(parameter: Parameter) -> bool:
    return bool(parameter.criticality == Criticality.CQA)


def _of(
    kind: str, parameter: Parameter, values: list[Value], *, last_of: int = 1
) -> Iterator[Excursion]:
    outside = sorted(one for one in values if is_outside(parameter, one.number))
    if outside:
        first = outside[0]
        yield Excursion(
            *_named(parameter), kind, len(outside), first.at, first.text, last_of=last_of
        )


def _named(parameter: Parameter) -> tuple[str, str, str, bool]:
    is_quality_attribute = parameter.criticality == Criticality.CQA
    return parameter.tag, parameter.name, parameter.limits_text, is_quality_attribute


def _specified(batch: Batch) -> Iterator[Excursion]:
    """Yield the tests of the specification whose OOS stands: a later sample does not replace it."""
    found = (
        Result.objects.standing()
        .filter(sample__batch=batch, judgement=Judgement.OOS)
        .select_related("test", "sample")
        .order_by("tag", "sample__taken_at", "pk")
    )
    for _, same in groupby(found, key=lambda result: result.tag):
        results = list(same)
        first, test = results[0], results[0].test
        if test is not None:
            yield Excursion(
                test.tag, test.name, test.limits_text, True, "result", len(results),
                first.sample.taken_at, first.value_text,
            )  # fmt: skip


def _readings(
    batch: Batch, parameters: list[Parameter]
) -> dict[str, tuple[int, datetime, Decimal]]:
    tags = [one.tag for one in parameters]
    lows = [Decimal("-Infinity") if one.low is None else one.low for one in parameters]
    highs = [Decimal("Infinity") if one.high is None else one.high for one in parameters]
    with connection.cursor() as cursor:
        cursor.execute(_OUTSIDE, [tags, lows, highs, batch.pk])
        return {tag: (count, at, value) for tag, count, at, value in cursor.fetchall()}


def _measurements(batch: Batch, declared: dict[str, str]) -> Values:
    """Return measurements recorded as events (an MES log); a text that is no number is not one."""
    recorded = BatchEvent.objects.filter(
        batch=batch, kind=EventKind.MEASUREMENT, tag__in=list(declared)
    ).values_list("tag", "unit", "occurred_at", "value")
    values: Values = {}
    for tag, unit, at, text in recorded:
        if not units.is_same(unit, declared[tag]):
            continue  # it was flagged at its entry as not judged
        value = measurements.number(text)
        if value is not None:
            values.setdefault(tag, []).append(Value(at, value, text))
    return values
