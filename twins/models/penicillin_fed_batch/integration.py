"""Integrate the penicillin model with fixed steps, twice, so that every run carries its error.

The fast balances (dissolved oxygen, sugar at its low level) make too large a step end in plausible
wrong numbers: 16 steps a sample of 12 minutes are wrong without a sign of it.
"""

import numpy as np
from numpy.typing import NDArray

from twins.models.compiled import compiled
from twins.models.penicillin_fed_batch import layout as at
from twins.models.penicillin_fed_batch.equations import SCALE, derivative

FloatArray = NDArray[np.float64]

# Steps of the coarse path an hour; the fine one, which is the result, makes twice as many.
STEPS_AN_HOUR = 320
TOLERANCE = 1e-4
# The leading error of a fourth-order method shrinks by 2**4 when the step is halved.
_RICHARDSON = 15.0


@compiled
def rk4(
    t: float,
    x: FloatArray,
    p: FloatArray,
    u: FloatArray,
    duration: float,
    steps: int,
    work: FloatArray,
) -> None:
    """Advance `x` in place by the classical Runge-Kutta method; `work` has six rows."""
    k1, k2, k3, k4, y = work[0], work[1], work[2], work[3], work[4]
    h = duration / steps
    for _ in range(steps):
        derivative(t, x, p, u, k1)
        for i in range(at.STATES):
            y[i] = x[i] + 0.5 * h * k1[i]
        derivative(t + 0.5 * h, y, p, u, k2)
        for i in range(at.STATES):
            y[i] = x[i] + 0.5 * h * k2[i]
        derivative(t + 0.5 * h, y, p, u, k3)
        for i in range(at.STATES):
            y[i] = x[i] + h * k3[i]
        derivative(t + h, y, p, u, k4)
        for i in range(at.STATES):
            x[i] += h / 6.0 * (k1[i] + 2.0 * (k2[i] + k3[i]) + k4[i])
        t += h


@compiled
def halving_error(fine: FloatArray, coarse: FloatArray) -> float:
    """Return the relative error of the fine path; infinity when a number is none."""
    worst = 0.0
    for i in range(at.STATES):
        one = abs(fine[i] - coarse[i]) / (SCALE[i] + abs(fine[i])) / _RICHARDSON
        if not one < np.inf:
            return np.inf
        worst = max(worst, one)
    return worst


@compiled
def slow_error(fine: FloatArray, coarse: FloatArray) -> float:
    """Return the same for what carries a batch: penicillin, volume, weight and biomass."""
    worst = 0.0
    for i in (at.P, at.V, at.W, at.A0, at.A1, at.A3, at.A4):
        one = abs(fine[i] - coarse[i]) / (SCALE[i] + abs(fine[i])) / 3.0
        if not one < np.inf:
            return np.inf
        worst = max(worst, one)
    return worst


@compiled
def trajectory(
    start: FloatArray,
    p: FloatArray,
    u: FloatArray,
    ends: FloatArray,
    t0: float,
    steps_an_hour: float,
    out: FloatArray,
) -> float:
    """Fill `out` (times, states) at the ends of the intervals; return the worst error.

    `p` (times, constants) and `u` (times, inputs) hold during the interval that ends there. The two
    sums count from the start of each interval.
    """
    fine, coarse = start.copy(), start.copy()
    work = np.empty((6, at.STATES))
    worst, t = 0.0, t0
    for j in range(ends.shape[0]):
        duration = ends[j] - t
        steps = max(int(np.ceil(duration * steps_an_hour - 1e-9)), 1)
        fine[at.SUM_P] = fine[at.SUM_X] = coarse[at.SUM_P] = coarse[at.SUM_X] = 0.0
        rk4(t, fine, p[j], u[j], duration, 2 * steps, work)
        rk4(t, coarse, p[j], u[j], duration, steps, work)
        worst = max(worst, halving_error(fine, coarse))
        out[j] = fine
        t = ends[j]
    return worst
