"""Count how often what a risk foresees has really happened (ICH Q9(R1), 6: review of risks)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from compliance.quality.models import Deviation, DeviationState, Risk

MONTHS = 12
_YEAR = timedelta(days=365)
Exposure = Callable[[datetime, datetime], int]
_exposures: dict[str, Exposure] = {}


@dataclass(frozen=True)
class Rate:
    """So many deviations in a year, and among how many opportunities where a room counts them."""

    deviations: int
    opportunities: dict[str, int]

    def per(self, name: str) -> Decimal | None:
        """Return deviations for each opportunity of a kind, or None when there were none."""
        count = self.opportunities.get(name, 0)
        return (Decimal(self.deviations) / count).quantize(Decimal("0.0001")) if count else None


def register(name: str) -> Callable[[Exposure], Exposure]:
    """Declare how many opportunities (batches, tests) there were between two moments."""

    def declare(exposure: Exposure) -> Exposure:
        if name in _exposures:
            raise ValueError(f"{name} is counted already")
        _exposures[name] = exposure
        return exposure

    return declare


def count(risk: Risk, *, since: datetime, until: datetime) -> int:
    """Return how many deviations of the risk's category, or about its subject, occurred."""
    if not risk.category and not risk.concerns:
        return 0
    found = Deviation.objects.filter(occurred_at__gt=since, occurred_at__lte=until).exclude(
        state=DeviationState.CANCELLED
    )
    if risk.category:
        found = found.filter(category=risk.category)
    if risk.concerns:
        found = found.filter(concerns__iexact=risk.concerns)
    return found.count()


def of_year(risk: Risk, *, at: datetime) -> Rate:
    """Return the rate of the twelve months before."""
    since = at - _YEAR
    return Rate(
        deviations=count(risk, since=since, until=at),
        opportunities={name: one(since, at) for name, one in sorted(_exposures.items())},
    )
