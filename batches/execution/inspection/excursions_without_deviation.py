"""BR-04: find values outside limits that no deviation speaks of (211.100(b), 211.192)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import connection

from batches.execution.inspection import measured
from batches.execution.models import Batch
from batches.recipes.models import Parameter, ParameterKind
from compliance.inspection import outcomes, wording
from compliance.inspection.models import FindingClass
from compliance.inspection.outcomes import Evidence, Fact, Outcome
from compliance.inspection.registry import CHECKS, Parameters
from compliance.inspection.snapshots import Snapshot
from compliance.quality.models import Deviation

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_READINGS = """
SELECT count(*), count(*) FILTER (WHERE value < %(low)s OR value > %(high)s),
    min(observed_at) FILTER (WHERE value < %(low)s OR value > %(high)s),
    max(observed_at) FILTER (WHERE value < %(low)s OR value > %(high)s),
    min(value) FILTER (WHERE value < %(low)s), max(value) FILTER (WHERE value > %(high)s)
FROM execution_reading WHERE batch_id = %(batch)s AND tag = %(tag)s
"""


@dataclass(frozen=True)
class Excursion:
    """Values of one parameter outside its limits: one measurement, or a run of readings."""

    parameter: Parameter
    first_at: datetime
    last_at: datetime
    value: Decimal | None  # of a single measurement
    words: str
    evidence: Evidence
    count: int


@CHECKS.register("BR-04")
def check(snapshot: Snapshot, parameters: Parameters) -> Outcome:
    """Report excursions without a deviation; name those that a deviation does speak of."""
    before = timedelta(hours=int(str(parameters["before_hours"])))
    after = timedelta(hours=int(str(parameters["after_hours"])))
    recorded = measured.of(snapshot)
    facts: list[Fact] = []
    covered: list[str] = []
    examined = failing = 0
    for batch in snapshot.rows(Batch).select_related("recipe"):
        deviations = list(batch.deviations.order_by("number"))
        values = [one for one in recorded.get(batch.number, []) if one.parameter is not None]
        judged = [one for one in values if _has_limits(one.parameter)]
        examined += len(judged)
        found = [
            _of_measurement(one, one.parameter)
            for one in judged
            if one.parameter and one.is_outside
        ]
        for parameter in batch.recipe.parameters.filter(kind=ParameterKind.READING):
            if _has_limits(parameter):
                number, excursion = _of_readings(batch, parameter)
                examined += number
                found += [excursion] if excursion else []
        for one in found:
            names = [each.number for each in deviations if _speaks_of(each, one, before, after)]
            if names:
                covered.append(f"{batch.number}: {one.words}, see {wording.listed(names)}")
            else:
                failing += one.count
                facts.append(_fact(batch, one, deviations))
    if not examined:
        return outcomes.not_applicable("No value with a limit is recorded in scope.")
    remark = f"Covered by a deviation: {'; '.join(covered)}." if covered else ""
    if not facts:
        return outcomes.clean(examined=examined, remark=remark)
    critical = [fact for fact in facts if fact.batches & snapshot.released()]
    return outcomes.finding(
        facts,
        examined=examined,
        failing=failing,
        remark=remark,
        proposed=FindingClass.CRITICAL if critical else None,
        proposed_because="a batch with such a value was released" if critical else "",
    )


def _has_limits(parameter: Parameter | None) -> bool:
    return parameter is not None and not (parameter.low is None and parameter.high is None)


def _of_measurement(one: measured.Measured, parameter: Parameter) -> Excursion:
    return Excursion(
        parameter,
        one.event.occurred_at,
        one.event.occurred_at,
        one.value,
        f"{parameter.name} {one} outside {parameter.limits_text}",
        one.evidence,
        1,
    )


def _of_readings(batch: Batch, parameter: Parameter) -> tuple[int, Excursion | None]:
    with connection.cursor() as cursor:
        cursor.execute(
            _READINGS,
            {
                "batch": batch.pk,
                "tag": parameter.tag,
                "low": Decimal("-Infinity") if parameter.low is None else parameter.low,
                "high": Decimal("Infinity") if parameter.high is None else parameter.high,
            },
        )
        total, outside, first, last, lowest, highest = cursor.fetchone()
    if not outside:
        return total, None
    extremes = [
        f"{side} {wording.number(value)} {parameter.unit}"
        for side, value in (("lowest", lowest), ("highest", highest))
        if value is not None
    ]
    words = (
        f"{wording.count(outside, 'reading')} of {parameter.name} outside {parameter.limits_text} "
        f"from {wording.moment(first)} to {wording.moment(last)}, {wording.listed(extremes)}"
    )
    values = {"tag": parameter.tag, "outside": str(outside), "first": first.isoformat()}
    evidence = Evidence("execution_batch", str(batch.pk), values)
    return total, Excursion(parameter, first, last, None, words, evidence, outside)


def _speaks_of(
    deviation: Deviation, excursion: Excursion, before: timedelta, after: timedelta
) -> bool:
    """Say whether a deviation is about an excursion: it states the value, or names the parameter.

    A report that states another value than this one is about something else. One that states
    neither value nor parameter counts when it lies within the hours of the rule pack.
    """
    claimed = _NUMBER.search(str(deviation.claims.get("observed_value", "")))
    if claimed and excursion.value is not None:
        return Decimal(claimed[0]) == excursion.value
    text = f"{deviation.title} {deviation.description} {deviation.impact}".lower()
    if excursion.parameter.tag.lower() in text or excursion.parameter.name.lower() in text:
        return True
    return _is_near(deviation, list(_moments(excursion)), before, after)


def _moments(excursion: Excursion) -> Iterator[datetime]:
    yield excursion.first_at
    yield excursion.last_at


def _is_near(
    deviation: Deviation, moments: list[datetime], before: timedelta, after: timedelta
) -> bool:
    return min(moments) - before <= deviation.occurred_at <= max(moments) + after


def _fact(batch: Batch, excursion: Excursion, deviations: list[Deviation]) -> Fact:
    if deviations:
        names = wording.listed(one.number for one in deviations)
        none = f"{names}, linked to the batch, {wording.has(len(deviations))} no word of it"
    else:
        none = "no deviation is linked to the batch"
    return Fact(
        f"Batch {batch.number}: {excursion.words}; {none}.",
        evidence=(excursion.evidence,),
        batches=frozenset({batch.number}),
    )
