"""Estimate states and uncertain parameters of a running batch with an ensemble Kalman filter.

The filter is deterministic: a serial square-root update (Whitaker and Hamill 2002,
10.1175/1520-0493(2002)130<1913:EDAWPO>2.0.CO;2), one scalar at a time, so there is no matrix to
invert and no perturbed observation. Every draw has its own stream, named by seed and hour.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twins.models import ensemble, feeding, integrate, observing
from twins.models.cho_fed_batch import equations, kernel, measuring, members
from twins.models.cho_fed_batch.declared import FEED_RATE_TAG
from twins.models.cho_fed_batch.equations import STATE_NAMES
from twins.models.cho_fed_batch.members import STATES
from twins.models.forecasts import Innovation
from twins.models.observing import Seen
from twins.models.requests import ForecastRequest

FloatArray = NDArray[np.float64]

MEMBERS = 64
STEPS_AN_HOUR = 3
TOLERANCE = 1e-4

# Streams of random numbers; the hour follows.
_STREAM_INITIAL, _STREAM_WALK = 1, 2
# An hourly mean of a probe is not better than this share of one reading: its errors are related.
_RELATED_SHARE = 0.2
# Innovations beyond this many standard deviations count as this many.
_WINSOR = 4.0


@dataclass(frozen=True)
class Estimate:
    """The ensemble at a moment: states above, uncertain parameters below, one column a member."""

    at_h: float
    rows: FloatArray
    error: float
    innovations: tuple[Innovation, ...]


def begin(request: ForecastRequest) -> Estimate:
    """Draw the ensemble at inoculation."""
    known = np.array([[float(request.initial[name])] for name in STATE_NAMES])
    drawn = ensemble.standard_normals(
        seed=request.seed,
        stream=(_STREAM_INITIAL, 0),
        shape=(len(measuring.ROW_NAMES), MEMBERS),
    )
    states = known * (1.0 + measuring.INITIAL_DOUBT * drawn[:STATES])
    uncertain = members.NOMINAL + members.PRIOR_SD * drawn[STATES:]
    rows = members.bounded(np.concatenate([states, uncertain], axis=0))
    return Estimate(at_h=0.0, rows=rows, error=0.0, innovations=())


def assimilate(request: ForecastRequest, *, start: Estimate | None = None) -> Estimate:
    """Return the estimate at `as_of_h`, from inoculation or from an earlier estimate.

    Going on from an earlier estimate gives the same bits when everything that was observed
    until then was visible to it. Raises `IntegrationInaccurate`.
    """
    estimate = start or begin(request)
    for step in _steps(request, estimate):
        estimate = step
    return estimate


def _steps(request: ForecastRequest, estimate: Estimate) -> Iterator[Estimate]:
    ends_h = observing.grid(request.as_of_h)
    observations = observing.visible(request.observations, as_of_h=request.as_of_h)
    intervals = observing.by_interval(observations, ends_h=ends_h)
    read = {
        end_h: seen.value
        for end_h, group in intervals.items()
        for seen in group
        if seen.tag == FEED_RATE_TAG
    }
    for end_h in ends_h:
        if end_h <= estimate.at_h:
            continue
        rate = feeding.commanded(request.feed, read, start_h=estimate.at_h, end_h=end_h)
        group = tuple(s for s in intervals.get(end_h, ()) if s.tag in measuring.ASSIMILATED)
        estimate = _step(request, estimate, end_h=end_h, commanded_l_per_h=rate, group=group)
        yield estimate


def _step(
    request: ForecastRequest,
    before: Estimate,
    *,
    end_h: float,
    commanded_l_per_h: float,
    group: tuple[Seen, ...],
) -> Estimate:
    duration_h = end_h - before.at_h
    solution = kernel.advance(
        integrate.begin(before.rows[:STATES]),
        members.coefficients(before.rows),
        members.feed(before.rows, request, commanded_l_per_h=commanded_l_per_h),
        duration_h=duration_h,
        steps=STEPS_AN_HOUR,
    )
    error = integrate.error(solution, scale=equations.SCALE)
    integrate.require(error, tolerance=TOLERANCE)
    rows = _walked(
        np.concatenate([solution.fine, before.rows[STATES:]], axis=0),
        seed=request.seed,
        hour=math.ceil(end_h),
        duration_h=duration_h,
    )
    innovations = list(before.innovations)
    # Both ends of the interval are corrected, so that the next value of it is expected rightly.
    ends = np.stack([before.rows, rows])
    for seen in group:
        weight = min(max((seen.at_h - before.at_h) / duration_h, 0.0), 1.0)
        sees = measuring.SEES[seen.tag]
        expected = (1.0 - weight) * sees(ends[0]) + weight * sees(ends[1])
        ends, standardised = _updated(ends, expected, seen)
        innovations.append(Innovation(seen.tag, seen.at_h, standardised))
    return Estimate(
        at_h=end_h,
        rows=members.bounded(ends[1]),
        error=max(before.error, error),
        innovations=tuple(innovations),
    )


def _walked(rows: FloatArray, *, seed: int, hour: int, duration_h: float) -> FloatArray:
    drawn = math.sqrt(duration_h) * ensemble.standard_normals(
        seed=seed, stream=(_STREAM_WALK, hour), shape=rows.shape
    )
    states = rows[:STATES] * (1.0 + measuring.PROCESS_NOISE * drawn[:STATES])
    return members.bounded(
        np.concatenate([states, rows[STATES:] + members.WALK * drawn[STATES:]], axis=0)
    )


def _updated(ends: FloatArray, expected: FloatArray, seen: Seen) -> tuple[FloatArray, float]:
    output = measuring.ASSIMILATED[seen.tag]
    centre = float(ensemble.mean(expected))
    noise = output.sd(centre)
    noise_variance = noise * noise * (1.0 / seen.count + _RELATED_SHARE * _RELATED_SHARE)
    anomalies = expected - centre
    variance = float(ensemble.total(anomalies * anomalies)) / (MEMBERS - 1)
    whole = variance + noise_variance
    innovation = seen.value - centre
    standardised = innovation / math.sqrt(whole)
    innovation = min(max(standardised, -_WINSOR), _WINSOR) * math.sqrt(whole)

    chosen = list(measuring.CORRECTS[seen.tag])
    part = ends[:, chosen]
    means = ensemble.mean(part)[..., np.newaxis]
    deviations = part - means
    gain = ensemble.total(deviations * anomalies)[..., np.newaxis] / (MEMBERS - 1) / whole
    shrink = 1.0 / (1.0 + math.sqrt(noise_variance / whole))
    corrected = ends.copy()
    corrected[:, chosen] = means + gain * innovation + deviations - shrink * gain * anomalies
    return corrected, standardised
