"""Run the forks of a batch beside its estimate, compiled."""

import numpy as np
from numpy.typing import NDArray

from twins.models.compiled import compiled
from twins.models.penicillin_fed_batch import layout as at
from twins.models.penicillin_fed_batch import stabilised
from twins.models.penicillin_fed_batch.integration import slow_error

FloatArray = NDArray[np.float64]

# What follows the inputs at once, or is imposed, has nothing to carry.
_FAST = (
    at.S, at.DO, at.O2, at.PH, at.T, at.Q, at.CO2_GAS, at.CO2, at.SUM_P, at.SUM_X,
)  # fmt: skip


@compiled
def advance(
    x: FloatArray, p: FloatArray, u: FloatArray, temperature: float, ph: float, t: float,
    sample_h: float, steps: int, table: FloatArray, work: FloatArray,
) -> None:  # fmt: skip
    """Advance one path by a sample with temperature and pH imposed."""
    x[at.T] = temperature
    x[at.PH] = ph
    stabilised.settle(t, x, p, u, work)
    stabilised.rkc(t, x, p, u, sample_h, steps, table, work)
    stabilised.settle(t + sample_h, x, p, u, work)
    for i in range(at.STATES):
        if i != at.Q:
            x[i] = max(x[i], 0.0)


@compiled
def trajectory(
    start: FloatArray, p: FloatArray, u: FloatArray, temperature: FloatArray, ph: FloatArray,
    sample_h: float, steps: int, table: FloatArray, out: FloatArray,
) -> None:  # fmt: skip
    """Fill `out` (samples, states) from `start`, with temperature and pH imposed."""
    x = start.copy()
    work = np.empty((6, at.STATES))
    for j in range(u.shape[0]):
        t = j * sample_h
        advance(x, p, u[j], temperature[j], ph[j], t, sample_h, steps, table, work)
        out[j] = x


@compiled
def _carry(x: FloatArray, expected: FloatArray, estimated: FloatArray) -> None:
    """Give a path the share by which the estimate of a sample differs from what was expected of it."""
    for i in range(at.STATES):
        if i not in _FAST and expected[i] > 0.0:
            x[i] *= min(max(estimated[i] / expected[i], 0.5), 2.0)


@compiled
def run(
    estimated: FloatArray,
    nominal: FloatArray,
    places: NDArray[np.int64],
    u: FloatArray, temperature: FloatArray, ph: FloatArray, constants: FloatArray,
    u_b: FloatArray, temperature_b: FloatArray, ph_b: FloatArray, constants_b: FloatArray,
    start_h: float,
    sample_h: float,
    steps: int,
    table: FloatArray,
    made: FloatArray,
) -> float:  # fmt: skip
    """Fill `made` (3, samples, members) with kg made since the start by the end of each sample: as
    recorded, and twice without the deviation.

    `estimated` (samples + 1, members, rows) starts before the first sample and ends at the last known
    one; the first path stays with it. The second is given the same corrections as shares: they would
    have come without the deviation too. The third is given none: they are what the deviation did. The
    first member's second and third run again with half the step: return how far they ever are apart.
    """
    work = np.empty((6, at.STATES))
    a, b, c = np.empty(at.STATES), np.empty(at.STATES), np.empty(at.STATES)
    b_halved, c_halved = np.empty(at.STATES), np.empty(at.STATES)
    p, q = nominal.copy(), nominal.copy()
    worst = 0.0
    known = estimated.shape[0] - 1
    for m in range(estimated.shape[1]):
        a[:] = estimated[0, m, : at.STATES]
        for path in (b, c, b_halved, c_halved):
            path[:] = a
        out_a = out_b = out_c = 0.0
        for j in range(u.shape[0]):
            t = start_h + j * sample_h
            for i in range(places.shape[0]):
                p[places[i]] = constants[j, m, i]
                q[places[i]] = constants_b[j, m, i]
            advance(a, p, u[j], temperature[j], ph[j], t, sample_h, steps, table, work)
            for path in (b, c):
                advance(path, q, u_b[j], temperature_b[j], ph_b[j], t, sample_h, steps, table, work)
            if m == 0:
                for path in (b_halved, c_halved):
                    advance(
                        path, q, u_b[j], temperature_b[j], ph_b[j], t, sample_h, 2 * steps, table, work
                    )  # fmt: skip
            if j < known:
                _carry(b, a, estimated[j + 1, m])
                if m == 0:
                    _carry(b_halved, a, estimated[j + 1, m])
                a[:] = estimated[j + 1, m, : at.STATES]
            if m == 0:
                worst = max(worst, slow_error(b_halved, b), slow_error(c_halved, c))
            out_a -= u[j, at.DISCHARGE] * sample_h * a[at.P] / 1000.0
            out_b -= u_b[j, at.DISCHARGE] * sample_h * b[at.P] / 1000.0
            out_c -= u_b[j, at.DISCHARGE] * sample_h * c[at.P] / 1000.0
            made[0, j, m] = a[at.P] * a[at.V] / 1000.0 + out_a
            made[1, j, m] = b[at.P] * b[at.V] / 1000.0 + out_b
            made[2, j, m] = c[at.P] * c[at.V] / 1000.0 + out_c
    return worst
