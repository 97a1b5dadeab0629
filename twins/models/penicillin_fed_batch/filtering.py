"""One stretch of the ensemble filter of the penicillin batch, compiled.

A serial square-root update (Whitaker and Hamill 2002): one scalar at a time, no matrix to invert, no
perturbed observation. Sums over members run in the order of the members.
"""

import math

import numpy as np
from numpy.typing import NDArray

from twins.models.compiled import compiled
from twins.models.penicillin_fed_batch import layout as at
from twins.models.penicillin_fed_batch import stabilised
from twins.models.penicillin_fed_batch.integration import slow_error

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]

# Innovations beyond this many standard deviations count as this many.
_WINSOR = 4.0


@compiled
def correct(
    rows: FloatArray,
    sees: FloatArray,
    corrects: BoolArray,
    noise: FloatArray,
    value: float,
    found: FloatArray,
    expected: FloatArray,
) -> None:
    """Correct the rows of every member by one value; write innovation and its spread."""
    count, width = rows.shape
    centre = 0.0
    for m in range(count):
        one = 0.0
        for i in range(at.STATES):
            if sees[i] != 0.0:
                one += rows[m, i]
        expected[m] = one
        centre += one
    centre /= count
    variance = 0.0
    for m in range(count):
        expected[m] -= centre
        variance += expected[m] * expected[m]
    variance /= count - 1
    sd = noise[0] + noise[1] * abs(centre)
    whole = variance + sd * sd
    found[0] = value - centre
    found[1] = math.sqrt(whole)
    limit = _WINSOR * found[1]
    innovation = min(max(found[0], -limit), limit)
    shrink = 1.0 / (1.0 + sd / found[1])
    for i in range(width):
        if corrects[i]:
            mean = 0.0
            for m in range(count):
                mean += rows[m, i]
            mean /= count
            gain = 0.0
            for m in range(count):
                gain += (rows[m, i] - mean) * expected[m]
            gain /= (count - 1) * whole
            for m in range(count):
                rows[m, i] += gain * innovation - shrink * gain * expected[m]


@compiled
def stretch(  # noqa: PLR0912 -- loops over samples, members and outputs in one compiled pass
    rows: FloatArray,
    first: int,
    last: int,
    constants: FloatArray,
    places: IntArray,
    inputs: FloatArray,
    seen: FloatArray,
    drawn: FloatArray,
    sees: FloatArray,
    corrects: BoolArray,
    noise: FloatArray,
    process: FloatArray,
    walk: FloatArray,
    bounds: FloatArray,
    sample_h: float,
    table: FloatArray,
    steps: int,
    ensembles: FloatArray,
    found: FloatArray,
    errors: FloatArray,
) -> None:
    """Go from sample `first` to before `last`; `rows` (members, rows) is the ensemble before it.

    Writes for each sample the ensemble after it, innovation and spread of each output (not a number
    where there was no value), and the step-halving error of the first member.
    """
    count = rows.shape[0]
    work = np.empty((6, at.STATES))
    halved = np.empty(at.STATES)
    p = constants.copy()
    expected = np.empty(count)
    root = math.sqrt(sample_h)
    centres = np.zeros(places.shape[0])
    for j in range(first, last):
        for i in range(places.shape[0]):
            centres[i] = 0.0
            for m in range(count):
                centres[i] += rows[m, at.STATES + i] / count
        for m in range(count):
            x = rows[m, : at.STATES]
            for i in range(places.shape[0]):
                value = centres[i] if walk[i, 2] < 0.0 else rows[m, at.STATES + i]
                value = walk[i, 0] + abs(walk[i, 2]) * (value - walk[i, 0])
                value += root * walk[i, 1] * drawn[j, m, at.STATES + i]
                value = min(max(value, bounds[at.STATES + i, 0]), bounds[at.STATES + i, 1])
                rows[m, at.STATES + i] = p[places[i]] = value
            stabilised.settle(j * sample_h, x, p, inputs[j], work)
            if m == 0:
                halved[:] = x
                stabilised.rkc(j * sample_h, halved, p, inputs[j], sample_h, 2 * steps, table, work)
            stabilised.rkc(j * sample_h, x, p, inputs[j], sample_h, steps, table, work)
            stabilised.settle((j + 1) * sample_h, x, p, inputs[j], work)
            if m == 0:
                stabilised.settle((j + 1) * sample_h, halved, p, inputs[j], work)
                errors[j] = slow_error(halved, x)
            for i in range(at.STATES):
                rate = process[i, 0] + process[i, 1] * abs(x[i])
                x[i] += root * rate * drawn[j, m, i]
        for o in range(seen.shape[1]):
            if math.isnan(seen[j, o]):
                found[j, o, 0] = found[j, o, 1] = math.nan
            else:
                correct(rows, sees[o], corrects[o], noise[o], seen[j, o], found[j, o], expected)
        for m in range(count):
            for i in range(rows.shape[1]):
                rows[m, i] = min(max(rows[m, i], bounds[i, 0]), bounds[i, 1])
        ensembles[j] = rows
