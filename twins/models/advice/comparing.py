"""Compare what was proposed with what was done, and what was foretold with what came."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from twins.models import feeding
from twins.models.crossing import Side
from twins.models.forecasts import Trajectory
from twins.models.requests import FeedStep, Observation

# A feed whose mean distance from a profile is below this share of the move follows that profile.
FOLLOWS = 0.2


@dataclass(frozen=True)
class Foretold:
    """One future of the advice: its feed, and the interval of what was endangered."""

    feed: Sequence[FeedStep]
    interval: Trajectory


@dataclass(frozen=True)
class Compared:
    """Distances in L/h, means over the hours with a reading of the feed; hours of the batch.

    `followed` is None without a move or without a reading of the feed; `is_crossed` without a
    measurement. Intervals are of the true value: a probe's own noise comes on top of them.
    """

    until_h: float
    done: tuple[tuple[float, float], ...]
    from_move: float | None
    from_recipe: float | None
    followed: str | None
    hours_measured: int
    crossed_h: float | None
    is_crossed: bool | None
    inside_as_is: int
    inside_moved: int | None


def compare(
    side: Side, *, as_is: Foretold, moved: Foretold | None,
    fed: Sequence[Observation], measured: Sequence[Observation], until_h: float,
) -> Compared:  # fmt: skip
    """Compare from the moment of the advice until `until_h`, by hourly means."""
    start_h = as_is.interval.at_h[0]
    done = _hourly(fed, start_h=start_h, until_h=until_h)
    values = _hourly(measured, start_h=start_h, until_h=until_h)
    from_recipe = _distance(done, as_is.feed)
    from_move = _distance(done, moved.feed) if moved else None
    crossed = [at_h for at_h, value in values if _is_beyond(side, at_h, value)]
    return Compared(
        until_h=until_h,
        done=done,
        from_move=from_move,
        from_recipe=from_recipe,
        followed=_followed(done, as_is, moved),
        hours_measured=len(values),
        crossed_h=crossed[0] if crossed else None,
        is_crossed=bool(crossed) if values else None,
        inside_as_is=_inside(values, as_is.interval),
        inside_moved=_inside(values, moved.interval) if moved else None,
    )


def _hourly(
    seen: Sequence[Observation], *, start_h: float, until_h: float
) -> tuple[tuple[float, float], ...]:
    """Return the mean of each hour after the advice, named by the end of the hour."""
    hours: dict[int, list[float]] = {}
    for one in seen:
        if start_h < one.at_h <= until_h:
            hours.setdefault(math.ceil(one.at_h - start_h), []).append(one.value)
    return tuple(
        (start_h + hour, math.fsum(values) / len(values)) for hour, values in sorted(hours.items())
    )


def _distance(done: Sequence[tuple[float, float]], feed: Sequence[FeedStep]) -> float | None:
    if not done:
        return None
    apart = [
        abs(rate - feeding.mean_rate(feed, start_h=at_h - 1.0, end_h=at_h)) for at_h, rate in done
    ]
    return math.fsum(apart) / len(apart)


def _followed(
    done: Sequence[tuple[float, float]], as_is: Foretold, moved: Foretold | None
) -> str | None:
    """Say which feed was run, over the hours in which the two differ."""
    if moved is None:
        return None

    def rate(feed: Sequence[FeedStep], at_h: float) -> float:
        return feeding.mean_rate(feed, start_h=at_h - 1.0, end_h=at_h)

    differing = [one for one in done if rate(moved.feed, one[0]) != rate(as_is.feed, one[0])]
    if not differing:
        return None
    size = math.fsum(abs(rate(moved.feed, at_h) - rate(as_is.feed, at_h)) for at_h, _ in differing)
    from_move, from_recipe = (
        math.fsum(abs(value - rate(one.feed, at_h)) for at_h, value in differing)
        for one in (moved, as_is)
    )
    if from_move <= FOLLOWS * size:
        return "followed"
    return "not-followed" if from_recipe <= FOLLOWS * size else "partly"


def _is_beyond(side: Side, at_h: float, value: float) -> bool:
    if not side.applies_between(at_h, at_h):
        return False
    return value < side.bound if side.side == "low" else value > side.bound


def _inside(values: Sequence[tuple[float, float]], interval: Trajectory) -> int:
    """Count the hours whose mean lies in the interval of their middle."""
    middles = [at_h - 0.5 for at_h, _ in values]
    low = np.interp(middles, interval.at_h, interval.q05)
    high = np.interp(middles, interval.at_h, interval.q95)
    return sum(
        bool(bottom <= value <= top)
        for (_, value), bottom, top in zip(values, low, high, strict=True)
    )
