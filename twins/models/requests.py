"""What a forecast is asked with: a batch as it was visible at one moment."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol

from twins.models.declarations import Limit


class RequestInvalid(ValueError):
    """The request contradicts itself or holds something that is no number."""

    code = "forecast-request-invalid"


@dataclass(frozen=True)
class Observation:
    """A reading or a laboratory result: it counts at `at_h` and is visible from `reported_h`."""

    tag: str
    at_h: float
    value: float
    reported_h: float


@dataclass(frozen=True)
class Measured:
    """What was read and what the laboratory found of one process value: hours and values, in order."""

    online: tuple[tuple[float, float], ...]
    laboratory: tuple[tuple[float, float], ...]


class Request(Protocol):
    """What every request has, whatever the process; hours count from the start of the batch."""

    @property
    def as_of_h(self) -> float:
        """Return the moment at which everything was visible."""

    @property
    def horizon_h(self) -> float:
        """Return how far ahead is looked."""

    @property
    def seed(self) -> int:
        """Return what names the streams of random numbers."""

    @property
    def limits(self) -> tuple[Limit, ...]:
        """Return the limits of which is foretold whether they will be crossed."""

    def measured(self, tag: str) -> Measured:
        """Return what was measured of a process value."""


@dataclass(frozen=True)
class FeedStep:
    """The commanded feed rate from a moment until the next step; a bolus is a short step."""

    start_h: float
    rate_l_per_h: float


@dataclass(frozen=True)
class ForecastRequest:
    """Everything a forecast of a culture depends on; hours count from the start of the batch."""

    as_of_h: float
    horizon_h: float
    seed: int
    initial: Mapping[str, float]
    feed: tuple[FeedStep, ...]
    feed_glucose_mmol_l: float
    feed_glutamine_mmol_l: float
    observations: tuple[Observation, ...]
    limits: tuple[Limit, ...]

    def measured(self, tag: str) -> Measured:
        """Return what was measured of a process value."""
        return Measured(
            online=points(seen for seen in self.observations if seen.tag == tag),
            laboratory=points(seen for seen in self.observations if seen.tag == f"lab_{tag}"),
        )


def points(observations: Iterable[Observation]) -> tuple[tuple[float, float], ...]:
    """Return hours and values in order of time."""
    return tuple(sorted((seen.at_h, seen.value) for seen in observations))


def read(said: Mapping[str, Any]) -> ForecastRequest:
    """Return the request of a document whose numbers are decimal strings."""
    return ForecastRequest(
        as_of_h=float(said["as_of_h"]),
        horizon_h=float(said["horizon_h"]),
        seed=said["seed"],
        initial={name: float(value) for name, value in said["initial"].items()},
        feed=tuple(
            FeedStep(float(step["start_h"]), float(step["rate_l_per_h"])) for step in said["feed"]
        ),
        feed_glucose_mmol_l=float(said["feed_glucose_mmol_l"]),
        feed_glutamine_mmol_l=float(said["feed_glutamine_mmol_l"]),
        observations=read_observations(said["observations"]),
        limits=read_limits(said["limits"]),
    )


def read_observations(said: Iterable[Mapping[str, Any]]) -> tuple[Observation, ...]:
    """Return the observations of a document."""
    return tuple(
        Observation(
            seen["tag"], float(seen["at_h"]), float(seen["value"]), float(seen["reported_h"])
        )
        for seen in said
    )


def read_limits(said: Iterable[Mapping[str, Any]]) -> tuple[Limit, ...]:
    """Return the limits of a document."""
    return tuple(_limit(one) for one in said)


def _limit(said: Mapping[str, Any]) -> Limit:
    def number(name: str) -> float | None:
        return None if said[name] is None else float(said[name])

    return Limit(
        tag=said["tag"],
        low=number("low"),
        high=number("high"),
        unit=said["unit"],
        criticality=said["criticality"],
        applies_from_h=float(said["applies_from_h"]),
        applies_until_h=number("applies_until_h"),
    )


def require_sound(request: ForecastRequest) -> None:
    """Raise `RequestInvalid` for numbers that are none and for steps out of order."""
    require_finite(
        [
            request.as_of_h,
            request.horizon_h,
            request.feed_glucose_mmol_l,
            request.feed_glutamine_mmol_l,
            *request.initial.values(),
            *(n for step in request.feed for n in (step.start_h, step.rate_l_per_h)),
        ],
        request.observations,
        seed=request.seed,
    )
    starts = [step.start_h for step in request.feed]
    if any(later <= earlier for earlier, later in pairwise(starts)):
        raise RequestInvalid("the steps of the feed are not in order of time")
    if any(step.rate_l_per_h < 0.0 for step in request.feed):
        raise RequestInvalid("a step of the feed has a negative rate")


def require_finite(
    numbers: Iterable[float], observations: Sequence[Observation], *, seed: int
) -> None:
    """Raise `RequestInvalid` for numbers that are none, and for what is reported too early."""
    of = (n for seen in observations for n in (seen.at_h, seen.value, seen.reported_h))
    if not all(math.isfinite(number) for number in (*numbers, *of)):
        raise RequestInvalid("a number of the request is not finite")
    if seed < 0:
        raise RequestInvalid("the seed is negative")
    if any(seen.reported_h < seen.at_h for seen in observations):
        raise RequestInvalid("an observation is reported before it was made")
