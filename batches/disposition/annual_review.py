"""Collect what an annual product review is written from (21 CFR 211.180(e); EU GMP Chapter 1, 1.10)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.db.models import QuerySet

from batches.execution.models import Batch
from batches.recipes.models import Product
from compliance.refusals import Refused

LONGEST = timedelta(days=3 * 366)
Row = Mapping[str, str]


class PeriodInvalid(Refused):
    """A review looks back at a period that has begun, of at most three years."""

    code = "review-period-invalid"
    status = 422


@dataclass(frozen=True)
class Asked:
    """Of which product, and from when on and before when."""

    product: Product
    start: datetime
    end: datetime

    @property
    def batches(self) -> QuerySet[Batch]:
        """Every batch that was issued in the period: each is in one period, whatever became of it."""
        return Batch.objects.filter(
            recipe__product=self.product, issued_at__gte=self.start, issued_at__lt=self.end
        ).order_by("issued_at", "pk")

    def holds(self, at: datetime | None) -> bool:
        return at is not None and self.start <= at < self.end


@dataclass(frozen=True)
class Part:
    """One subject of the review: its rows under the same columns."""

    name: str
    title: str
    clause: str
    columns: Sequence[str]
    rows: Sequence[Row]


@dataclass(frozen=True)
class AnnualReview:
    """The data of a product over a period, both days included (UTC)."""

    product: Product
    starts_on: date
    ends_on: date
    parts: Sequence[Part]

    def part(self, name: str) -> Part:
        return next(one for one in self.parts if one.name == name)


Collector = Callable[[Asked], Iterable[Row]]


@dataclass(frozen=True)
class Subject:
    title: str
    clause: str
    columns: Sequence[str]
    collect: Collector


_subjects: dict[str, Subject] = {}


def subject(
    name: str, *, title: str, clause: str, columns: Sequence[str]
) -> Callable[[Collector], Collector]:
    """Declare a subject of the review: a function from what is asked to rows of these columns."""

    def declare(collect: Collector) -> Collector:
        if name in _subjects:
            raise ValueError(f"the subject {name} is declared already")
        _subjects[name] = Subject(title, clause, columns, collect)
        return collect

    return declare


def of(product: Product, *, starts_on: date, ends_on: date, at: datetime) -> AnnualReview:
    """Return every subject of the review of a product over a period; raise `PeriodInvalid`."""
    start = datetime.combine(starts_on, time.min, UTC)
    end = datetime.combine(ends_on, time.min, UTC) + timedelta(days=1)
    if starts_on > ends_on or start > at or end - start > LONGEST:
        raise PeriodInvalid(
            f"{starts_on} to {ends_on}: name the first and the last day of a period that has begun, "
            "of three years at most"
        )
    asked = Asked(product, start, end)
    parts = []
    for name, one in _subjects.items():
        rows = [dict(row) for row in one.collect(asked)]
        wrong = [row for row in rows if set(row) != set(one.columns)]
        if wrong:
            raise ValueError(f"{name}: a row has other columns than declared: {wrong[0]}")
        parts.append(Part(name, one.title, one.clause, one.columns, rows))
    return AnnualReview(product, starts_on, ends_on, parts)
