"""What loops hold in a penicillin batch: temperature and pH, as they were and as they will be.

The equations do not have the controllers. A loop brings its value back to where it usually is: an
excursion ends, at a moment that nobody knows and that differs from member to member, and around the
usual level each member swings as normal batches do.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from twins.models import ensemble
from twins.models.observing import Seen
from twins.models.penicillin_fed_batch import layout as at
from twins.models.penicillin_fed_batch.following import MEMBERS, SAMPLE_H, SAMPLES_AN_HOUR
from twins.models.penicillin_fed_batch.replaying import FloatArray

_STREAM_SWING, _STREAM_MEMBER = 7, 8
_LEAST_HOURS = 6


@dataclass(frozen=True)
class Loop:
    """How normal batches are held; measured on 60 of them: docs/penicillin.md.

    An excursion above (below) the usual level lasts `above_h` (`below_h`) on the average. `swing` is
    that of an hour in a batch neither calm nor restless; `restless` is how far batches differ in it, as
    a logarithm. `wander` is how far the level of a batch goes.
    """

    tag: str
    unit: str
    above_h: float
    below_h: float
    swing: float
    restless: float
    wander: float


LOOPS: tuple[Loop, ...] = (
    Loop("T", "K", above_h=8.0, below_h=10.0, swing=0.045, restless=0.6, wander=0.1),
    # Above the set-point the base is shut and what fell in is soon used; below it waits for the base.
    Loop("pH", "[pH]", above_h=1.0, below_h=8.0, swing=0.008, restless=0.4, wander=0.016),
)
# A discharge lifts the pH. The loop answers with less base; with less of it than this, in L/h, to take
# away, it cannot, and the pH rises by so much. Else it swings more for as long as the discharge lasts.
SHUT_L_H, LIFT, SWING_IN_DISCHARGE = 30.0, 0.17, 0.025


def means(batch: Mapping[str, FloatArray], tag: str) -> list[Seen]:
    """Return the hourly means of a signal in order of time; an hour without a value has none."""
    column = batch[tag]
    found = []
    for first in range(0, len(column), SAMPLES_AN_HOUR):
        hour = column[first : first + SAMPLES_AN_HOUR]
        known = np.flatnonzero(~np.isnan(hour))
        if len(known):
            at_h = (first + float(known.mean()) + 1.0) * SAMPLE_H
            found.append(Seen(tag, at_h, float(hour[known].mean()), len(known)))
    return found


def paths(
    batch: Mapping[str, FloatArray], loop: Loop, plan: FloatArray, shares: FloatArray, *, seed: int
) -> dict[str, FloatArray]:
    """Return paths (members, hours): as estimated, and nominal, which is without an excursion.

    `plan` (samples, inputs) is what will flow and `shares` (members, inputs) what a member has of it;
    hour 0 is now. At least six hours have to be known.
    """
    hourly = means(batch, loop.tag)
    if len(hourly) < _LEAST_HOURS:
        raise LookupError(f"too little is known of {loop.tag}")
    usual_level = usual(batch, loop.tag)
    excursion = hourly[-1].value - usual_level
    order = LOOPS.index(loop)
    hours = 1 + plan.shape[0] // SAMPLES_AN_HOUR
    drawn = ensemble.even_normals(
        seed=seed, stream=(_STREAM_SWING, order), shape=(hours, MEMBERS)
    ).T
    wander, restless, lasts = ensemble.even_normals(
        seed=seed, stream=(_STREAM_MEMBER, order), shape=(3, MEMBERS)
    )[:, :, np.newaxis]
    swing, lift = np.full((MEMBERS, hours), loop.swing), np.zeros((MEMBERS, hours))
    if loop.tag == "pH":
        discharging = _discharging(plan)
        shut = _base(plan, shares, discharging) < SHUT_L_H
        swing[(discharging > 0.0) & ~shut] = SWING_IN_DISCHARGE
        lift = LIFT * discharging * shut
    nominal = usual_level + loop.wander * wander + lift
    nominal = nominal + swing * _each(restless, lambda one: math.exp(loop.restless * one)) * drawn
    mean_h = loop.above_h if excursion > 0.0 else loop.below_h
    ends_h = mean_h * _each(lasts, lambda one: -math.log(NormalDist().cdf(one)))
    return {
        "estimated": nominal + excursion * (np.arange(hours) < ends_h),
        "nominal": nominal,
    }


def _each(column: FloatArray, function: Callable[[float], float]) -> FloatArray:
    """Return a function of each member; NumPy's own depend on the width of the processor's registers."""
    return np.array([[function(one)] for one in column[:, 0].tolist()])


def _discharging(plan: FloatArray) -> FloatArray:
    """Return the share of the hour before each hour in which broth is taken out; none before now."""
    flowing = plan[:, at.DISCHARGE].reshape(-1, SAMPLES_AN_HOUR) < 0.0
    found: FloatArray = np.concatenate([[0.0], flowing.mean(axis=1)])
    return found


def _base(plan: FloatArray, shares: FloatArray, discharging: FloatArray) -> FloatArray:
    """Return the base (members, hours), L/h, that flows in each hour, and in a discharge before it."""
    hourly = plan[:, at.FB].reshape(-1, SAMPLES_AN_HOUR).mean(axis=1)
    hourly = np.concatenate([hourly[:1], hourly])
    for hour in np.flatnonzero(discharging[1:] > 0.0) + 1:
        hourly[hour] = hourly[hour - 1]
    found: FloatArray = shares[:, at.FB, np.newaxis] * hourly
    return found


def usual(batch: Mapping[str, FloatArray], tag: str) -> float:
    """Return where a loop usually is: the median of its hours."""
    ordered = sorted(one.value for one in means(batch, tag))
    return ordered[len(ordered) // 2]


def sampled(hourly: FloatArray) -> FloatArray:
    """Return paths (members, samples) from hourly ones, whose hour 0 is now."""
    found: FloatArray = np.repeat(hourly[:, 1:], SAMPLES_AN_HOUR, axis=1)
    return found
