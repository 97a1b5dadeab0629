"""What a forecast is asked with: a batch as it was visible at one moment."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

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
class FeedStep:
    """The commanded feed rate from a moment until the next step; a bolus is a short step."""

    start_h: float
    rate_l_per_h: float


@dataclass(frozen=True)
class ForecastRequest:
    """Everything a forecast depends on; hours count from the start of the batch."""

    as_of_h: float
    horizon_h: float
    seed: int
    initial: Mapping[str, float]
    feed: tuple[FeedStep, ...]
    feed_glucose_mmol_l: float
    feed_glutamine_mmol_l: float
    observations: tuple[Observation, ...]
    limits: tuple[Limit, ...]


def require_sound(request: ForecastRequest) -> None:
    """Raise `RequestInvalid` for numbers that are none and for steps out of order."""
    numbers = [
        request.as_of_h,
        request.horizon_h,
        request.feed_glucose_mmol_l,
        request.feed_glutamine_mmol_l,
        *request.initial.values(),
        *(n for step in request.feed for n in (step.start_h, step.rate_l_per_h)),
        *(n for seen in request.observations for n in (seen.at_h, seen.value, seen.reported_h)),
    ]
    if not all(math.isfinite(number) for number in numbers):
        raise RequestInvalid("a number of the request is not finite")
    if request.seed < 0:
        raise RequestInvalid("the seed is negative")
    starts = [step.start_h for step in request.feed]
    if any(later <= earlier for earlier, later in pairwise(starts)):
        raise RequestInvalid("the steps of the feed are not in order of time")
    if any(step.rate_l_per_h < 0.0 for step in request.feed):
        raise RequestInvalid("a step of the feed has a negative rate")
    if any(seen.reported_h < seen.at_h for seen in request.observations):
        raise RequestInvalid("an observation is reported before it was made")
