"""Turn readings and results into what was visible at a moment, one mean a tag and interval."""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from twins.models.requests import Observation


@dataclass(frozen=True)
class Seen:
    """The mean of `count` values of one tag, at the mean of their times."""

    tag: str
    at_h: float
    value: float
    count: int


def grid(until_h: float) -> tuple[float, ...]:
    """Return the ends of the hourly intervals up to `until_h`; the last one may be shorter."""
    whole = [float(hour) for hour in range(1, math.floor(until_h) + 1)]
    if until_h > math.floor(until_h):
        whole.append(until_h)
    return tuple(whole)


def visible(observations: Sequence[Observation], *, as_of_h: float) -> tuple[Observation, ...]:
    """Return what had happened and had been reported by then: nothing later can be used."""
    return tuple(
        seen for seen in observations if 0.0 <= seen.at_h <= as_of_h and seen.reported_h <= as_of_h
    )


def by_interval(
    observations: Sequence[Observation], *, ends_h: Sequence[float]
) -> dict[float, tuple[Seen, ...]]:
    """Group by interval (previous end, end] and tag; the order of arrival does not matter."""
    groups: dict[float, dict[str, list[Observation]]] = defaultdict(lambda: defaultdict(list))
    last = ends_h[-1] if ends_h else 0.0
    for seen in observations:
        end_h = min(max(float(math.ceil(seen.at_h)), 1.0), last)
        groups[end_h][seen.tag].append(seen)
    return {
        end_h: tuple(_mean(tag, groups[end_h][tag]) for tag in sorted(groups[end_h]))
        for end_h in sorted(groups)
    }


def _mean(tag: str, group: list[Observation]) -> Seen:
    # fsum rounds once, so the result does not depend on the order of the readings.
    return Seen(
        tag=tag,
        at_h=math.fsum(seen.at_h for seen in group) / len(group),
        value=math.fsum(seen.value for seen in group) / len(group),
        count=len(group),
    )
