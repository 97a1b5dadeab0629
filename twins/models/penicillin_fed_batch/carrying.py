"""Carry an estimated ensemble through hours that have not been yet, compiled.

What loops hold (temperature, pH) is imposed on each member; everything else follows the equations. Each
member is carried twice, with half the step in the path that counts, so the run has its error.
"""

import math

import numpy as np
from numpy.typing import NDArray

from twins.models.compiled import compiled
from twins.models.penicillin_fed_batch import layout as at
from twins.models.penicillin_fed_batch.forking import advance
from twins.models.penicillin_fed_batch.integration import slow_error

FloatArray = NDArray[np.float64]


@compiled
def carry(
    rows: FloatArray,
    nominal: FloatArray,
    places: NDArray[np.int64],
    inputs: FloatArray,
    shares: FloatArray,
    temperature: FloatArray,
    ph: FloatArray,
    drawn: FloatArray,
    process: FloatArray,
    walk: FloatArray,
    bounds: FloatArray,
    start_h: float,
    sample_h: float,
    steps: int,
    table: FloatArray,
    out: FloatArray,
    errors: FloatArray,
) -> None:
    """Fill `out` (members, samples, states) and the worst error of each member.

    From `rows` (members, rows); `inputs` (samples, inputs) hold for a sample each, of which a member has
    `shares` (members, inputs); `temperature` and `ph` (members, samples) are those of its end, `drawn`
    (samples, members, rows) is the noise, `walk` (constants, 3) a nominal value, the walk a square root
    of an hour and the share of a departure that a sample leaves.
    """
    work = np.empty((6, at.STATES))
    fine, coarse = np.empty(at.STATES), np.empty(at.STATES)
    p, u = nominal.copy(), np.empty(at.INPUTS)
    root = math.sqrt(sample_h)
    for m in range(rows.shape[0]):
        fine[:] = rows[m, : at.STATES]
        coarse[:] = fine
        for i in range(places.shape[0]):
            p[places[i]] = rows[m, at.STATES + i]
        for j in range(inputs.shape[0]):
            t = start_h + j * sample_h
            for i in range(at.INPUTS):
                u[i] = inputs[j, i] * shares[m, i]
            for i in range(places.shape[0]):
                value = walk[i, 0] + walk[i, 2] * (p[places[i]] - walk[i, 0])
                value += root * walk[i, 1] * drawn[j, m, at.STATES + i]
                p[places[i]] = min(max(value, bounds[at.STATES + i, 0]), bounds[at.STATES + i, 1])
            advance(fine, p, u, temperature[m, j], ph[m, j], t, sample_h, 2 * steps, table, work)
            advance(coarse, p, u, temperature[m, j], ph[m, j], t, sample_h, steps, table, work)
            for i in range(at.STATES):
                noise = root * drawn[j, m, i]
                fine[i] += noise * (process[i, 0] + process[i, 1] * abs(fine[i]))
                coarse[i] += noise * (process[i, 0] + process[i, 1] * abs(coarse[i]))
                fine[i] = min(max(fine[i], bounds[i, 0]), bounds[i, 1])
                coarse[i] = min(max(coarse[i], bounds[i, 0]), bounds[i, 1])
            errors[m] = max(errors[m], slow_error(fine, coarse))
            out[m, j] = fine
