"""Compute the figures of the management review: pure functions of plain rows (ICH Q10, 4)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Dated:
    """Something that was due on a day and done on a day, or not yet."""

    due_on: date
    done_on: date | None


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many; no percentage is made of nothing."""

    part: int
    whole: int

    @property
    def percent(self) -> Decimal | None:
        if not self.whole:
            return None
        return (Decimal(100 * self.part) / self.whole).quantize(Decimal("0.1"))


def on_time(work: Iterable[Dated], *, on: date) -> Share:
    """Return how much of what was due by a day was done by its due date."""
    due = [one for one in work if one.due_on <= on or one.done_on is not None]
    return Share(
        part=sum(one.done_on is not None and one.done_on <= one.due_on for one in due),
        whole=len(due),
    )


def share(flags: Iterable[bool]) -> Share:
    """Return how many of all are so: recurrences, effective CAPA, invalidated OOS."""
    known = list(flags)
    return Share(part=sum(known), whole=len(known))


def median_days(spans: Iterable[tuple[date, date]]) -> Decimal | None:
    """Return the median number of days from opening to closing."""
    days = sorted((end - start).days for start, end in spans)
    if not days:
        return None
    middle = len(days) // 2
    if len(days) % 2:
        return Decimal(days[middle])
    return Decimal(days[middle - 1] + days[middle]) / 2
