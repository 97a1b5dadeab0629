"""Forecast what a control loop holds (temperature, pH, oxygen) from its level and trend.

The equations say nothing about these, so a local linear trend is filtered from the hourly means
and carried on with a trend that fades: a loop that works brings the value back.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twins.models import ensemble
from twins.models.declarations import Output
from twins.models.observing import Seen

FloatArray = NDArray[np.float64]

# Share of the trend that is left after an hour.
_FADING = 0.9
# Walk of level and trend a square root of an hour, as a share of the noise of one reading.
_LEVEL_WALK, _TREND_WALK = 0.25, 0.10
_RELATED_SHARE = 0.3
_STREAM_LOOP = 5


@dataclass(frozen=True)
class Loop:
    """Level and trend of one tag with their covariance, and the level before any disturbance."""

    output: Output
    at_h: float
    level: float
    trend: float
    level_variance: float
    covariance: float
    trend_variance: float
    usual_level: float


def follow(output: Output, means: Sequence[Seen]) -> Loop | None:
    """Filter the means of one tag in order of time; None when there are too few."""
    if len(means) < 6:
        return None
    noise = output.noise_sd
    level, trend = means[0].value, 0.0
    p_ll, p_lt, p_tt = noise * noise, 0.0, (_TREND_WALK * noise) ** 2
    at_h = means[0].at_h
    for seen in means[1:]:
        step_h = seen.at_h - at_h
        kept = _FADING**step_h
        gained = (1.0 - kept) / (1.0 - _FADING)
        level, trend, at_h = level + gained * trend, kept * trend, seen.at_h
        p_ll += 2.0 * gained * p_lt + gained * gained * p_tt + step_h * (_LEVEL_WALK * noise) ** 2
        p_lt = kept * (p_lt + gained * p_tt)
        p_tt = kept * kept * p_tt + step_h * (_TREND_WALK * noise) ** 2
        measured = noise * noise * (1.0 / seen.count + _RELATED_SHARE**2)
        whole = p_ll + measured
        gain_level, gain_trend = p_ll / whole, p_lt / whole
        innovation = seen.value - level
        level, trend = level + gain_level * innovation, trend + gain_trend * innovation
        p_tt -= gain_trend * p_lt
        p_lt *= 1.0 - gain_level
        p_ll *= 1.0 - gain_level
    ordered = sorted(seen.value for seen in means)
    return Loop(output, at_h, level, trend, p_ll, p_lt, p_tt, ordered[len(ordered) // 2])


def project(
    loop: Loop, ends_h: Sequence[float], *, seed: int, order: int, members: int
) -> dict[str, FloatArray]:
    """Return paths of shape (members, times): as estimated, and with level or trend put back."""
    drawn = ensemble.standard_normals(seed=seed, stream=(_STREAM_LOOP, order), shape=(2, members))
    level_sd = math.sqrt(max(loop.level_variance, 0.0))
    slope = loop.covariance / level_sd if level_sd > 0.0 else 0.0
    rest = math.sqrt(max(loop.trend_variance - slope * slope, 0.0))
    level = level_sd * drawn[0]
    trend = slope * drawn[0] + rest * drawn[1]
    gained = np.array([(1.0 - _FADING ** (end - loop.at_h)) / (1.0 - _FADING) for end in ends_h])
    around = level[:, np.newaxis] + trend[:, np.newaxis] * gained
    carried = loop.trend * gained
    return {
        "estimated": loop.level + around + carried,
        "without-trend": loop.level + around,
        "without-level": loop.usual_level + around + carried,
        "nominal": loop.usual_level + around,
    }
