"""Count deviations by month, category and severity, and read the quality system's figures."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from compliance.quality import kpis
from compliance.quality.kpis import Dated, Share
from compliance.quality.models import (
    Capa,
    CapaState,
    Deviation,
    DeviationState,
    EffectivenessCheck,
    RecurrenceAnswer,
)


@dataclass(frozen=True)
class Month:
    """The deviations that occurred in one month."""

    label: str
    count: int
    by_severity: dict[str, int]


@dataclass(frozen=True)
class Trends:
    months: Sequence[Month]
    by_category: Sequence[tuple[str, int]]
    by_severity: Sequence[tuple[str, int]]
    by_cause: Sequence[tuple[str, int]]


@dataclass(frozen=True)
class Pack:
    """The numbers of a management review (ICH Q10, 4.1)."""

    deviations_on_time: Share
    capa_on_time: Share
    capa_effective: Share
    recurrences: Share
    days_to_close: object
    others: Sequence["OfRoom"] = ()


@dataclass(frozen=True)
class OfRoom:
    """A share that a higher room counts, over the twelve months until the day that was asked for."""

    name: str
    title: str
    share: Share


Rate = Callable[[datetime, datetime], Share]
_shares: dict[str, tuple[str, Rate]] = {}


def register(name: str, *, title: str) -> Callable[[Rate], Rate]:
    """Declare a share of the pack: a function from two moments to so many of so many."""

    def declare(count: Rate) -> Rate:
        if name in _shares:
            raise ValueError(f"the share {name} is registered already")
        _shares[name] = (title, count)
        return count

    return declare


def of_months(*, until: date, months: int = 12) -> Trends:
    """Return the trends of so many months, the last one the month of `until`."""
    labels = _labels(until, months)
    rows = list(
        Deviation.objects.filter(occurred_at__gte=f"{labels[0]}-01T00:00:00Z")
        .exclude(state=DeviationState.CANCELLED)
        .values_list("occurred_at", "category", "severity", "root_cause_category")
    )
    kept = [
        (f"{at:%Y-%m}", *rest) for at, *rest in rows if labels[0] <= f"{at:%Y-%m}" <= labels[-1]
    ]
    counted = Counter((label, severity) for label, _, severity, _ in kept)
    return Trends(
        months=[
            Month(
                label,
                sum(count for (month, _), count in counted.items() if month == label),
                {sev: count for (month, sev), count in counted.items() if month == label},
            )
            for label in labels
        ],
        by_category=_ranked(category for _, category, _, _ in kept),
        by_severity=_ranked(severity for _, _, severity, _ in kept),
        by_cause=_ranked(cause for *_, cause in kept if cause),
    )


def pack(*, on: date) -> Pack:
    """Return the quality system's own figures as of a day."""
    deviations = list(
        Deviation.objects.exclude(state=DeviationState.CANCELLED).values_list(
            "due_on", "opened_at", "closed_at"
        )
    )
    plans = Capa.objects.exclude(state__in=[CapaState.DRAFT, CapaState.CANCELLED])
    return Pack(
        deviations_on_time=kpis.on_time(
            (Dated(due, end.date() if end else None) for due, _, end in deviations), on=on
        ),
        capa_on_time=kpis.on_time(
            (
                Dated(due, done.date() if done else None)
                for due, done in plans.values_list("due_on", "implemented_at")
            ),
            on=on,
        ),
        capa_effective=kpis.share(
            EffectivenessCheck.objects.values_list("is_effective", flat=True)
        ),
        recurrences=_recurrences(),
        days_to_close=kpis.median_days(
            (start.date(), end.date()) for _, start, end in deviations if end
        ),
        others=_of_rooms(on),
    )


def _of_rooms(on: date) -> list[OfRoom]:
    end = datetime.combine(on, time.min, UTC) + timedelta(days=1)
    start = end - timedelta(days=365)
    return [
        OfRoom(name, title, count(start, end)) for name, (title, count) in sorted(_shares.items())
    ]


def _recurrences() -> Share:
    """Return how many closed deviations were answered to be recurrences."""
    closed = set(Deviation.objects.filter(state=DeviationState.CLOSED).values_list("pk", flat=True))
    said = set(
        RecurrenceAnswer.objects.filter(is_recurrence=True).values_list("deviation_id", flat=True)
    )
    return kpis.share(pk in said for pk in closed)


def _labels(until: date, months: int) -> list[str]:
    last = until.year * 12 + until.month - 1
    return [f"{one // 12:04d}-{one % 12 + 1:02d}" for one in range(last - months + 1, last + 1)]


def _ranked(values: object) -> list[tuple[str, int]]:
    return sorted(Counter(values).items(), key=lambda one: (-one[1], one[0]))  # type: ignore[call-overload]
