"""Is a model better than what looks at nothing? Skill with its interval, and ranking of events."""

from dataclasses import dataclass

import numpy as np

from twins.models.process_monitoring.quality import Forward
from twins.models.process_monitoring.summing import Floats, Ints

_DRAWS = 2000
_SEED = 20181101
# Neighbouring batches share lots and people: they are drawn together.
BLOCK = 20
_TAIL = 0.025


@dataclass(frozen=True)
class Figure:
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


@dataclass(frozen=True)
class Skill:
    """Skill over the best trivial predictor, and what else is told of a model.

    `r2` is against the mean of the judged rows themselves, as the literature gives it.
    """

    against: str
    skill: Figure
    r2: float
    trivial_r2: dict[str, float]
    auroc: Figure | None
    trivial_auroc: float | None
    coverage: float
    width: float
    rows: int

    @property
    def has_skill(self) -> bool:
        """Tell whether the interval of the skill lies above zero."""
        return self.skill.low > 0.0


def of(found: Forward, *, is_event: bool) -> Skill:
    """Return the skill against that trivial predictor which was best on these very rows."""
    errors = {name: (found.actual - one) ** 2 for name, one in found.trivial.items()}
    name = min(errors, key=lambda one: (float(errors[one].mean()), one))
    own = (found.actual - found.said) ** 2
    draws = _draws(len(own))
    ratios = np.array([_skill(own[at], errors[name][at]) for at in draws])
    spread = float(((found.actual - found.actual.mean()) ** 2).mean())
    bounded = np.isfinite(found.low)
    inside = (found.actual >= found.low) & (found.actual <= found.high)
    return Skill(
        against=name,
        skill=_figure(_skill(own, errors[name]), ratios),
        r2=1.0 - float(own.mean()) / spread,
        trivial_r2={one: 1.0 - float(e.mean()) / spread for one, e in errors.items()},
        auroc=_ranked(found.actual, found.said, draws) if is_event else None,
        trivial_auroc=auroc(found.actual, found.trivial[name]) if is_event else None,
        coverage=float(inside[bounded].mean()) if bounded.any() else np.nan,
        width=float((found.high - found.low)[bounded].mean()) if bounded.any() else np.nan,
        rows=len(own),
    )


def _skill(own: Floats, trivial: Floats) -> float:
    return 1.0 - float(own.mean()) / max(float(trivial.mean()), 1e-300)


def _draws(count: int) -> list[Ints]:
    """Return rows drawn with replacement in blocks of neighbours (circular block bootstrap)."""
    generator = np.random.default_rng(_SEED)
    block = min(BLOCK, count)
    starts = generator.integers(0, count, size=(_DRAWS, -(-count // block)))
    return [
        ((one[:, None] + np.arange(block)) % count).ravel()[:count].astype(np.int64)
        for one in starts
    ]


def _figure(value: float, drawn: Floats) -> Figure:
    low, high = np.quantile(drawn[np.isfinite(drawn)], [_TAIL, 1.0 - _TAIL])
    return Figure(value, float(low), float(high))


def _ranked(actual: Floats, said: Floats, draws: list[Ints]) -> Figure:
    return _figure(auroc(actual, said), np.array([auroc(actual[at], said[at]) for at in draws]))


def auroc(actual: Floats, said: Floats) -> float:
    """Return how often an event is ranked above a non-event, ties counted half (Mann-Whitney)."""
    events = actual > 0.5
    count = int(events.sum())
    if count in (0, len(actual)):
        return float("nan")
    ordered = np.sort(said)
    ranks = (
        np.searchsorted(ordered, said, "left") + np.searchsorted(ordered, said, "right") + 1
    ) / 2
    return (float(ranks[events].sum()) - count * (count + 1) / 2) / (count * (len(actual) - count))
