"""The mass balances of `equations`, compiled, for blocks of members that a core takes at once.

Every member is computed by the same additions, multiplications and one division of IEEE doubles,
whoever its neighbours are and however many there are: the last block is filled up with copies.
The inner loops run over members without a branch, so the compiler makes vector instructions of
them; these round as scalar ones do, and nothing is contracted or reordered (see `compiled`).
"""

import numpy as np
from numpy.typing import NDArray

from twins.models.cho_fed_batch.equations import Coefficients, Feed
from twins.models.cho_fed_batch.parameters import VALUES
from twins.models.compiled import compiled
from twins.models.integrate import Solution

FloatArray = NDArray[np.float64]

STATES = 8
_BLOCK = 32  # members; all that a block needs fits into the innermost cache
# Rows of the workspace: states, where the derivative is taken, the weighted sum, the constants.
_AT, _SUM, _OF = STATES * _BLOCK, 2 * STATES * _BLOCK, 3 * STATES * _BLOCK
_CONSTANTS = 6
_SIZE = _OF + _CONSTANTS * _BLOCK

_K_GLC, _K_GLN, _KI_LAC, _KI_AMM = (VALUES[n] for n in ("k_glc", "k_gln", "ki_lac", "ki_amm"))
_KD_LAC, _KD_AMM, _A2 = (VALUES[name] for name in ("kd_lac", "kd_amm", "a2"))
_K_MAINTENANCE, _K_REMOVAL = VALUES["k_maintenance"], VALUES["k_removal"]
_INHIBITION = _KI_LAC * _KI_AMM
_PER_GLC, _PER_GLN = 1.0 / VALUES["y_x_glc"], 1.0 / VALUES["y_x_gln"]
_A1, _R_AMM, _Y_AMM_GLN = VALUES["a1"], VALUES["r_amm"], VALUES["y_amm_gln"]


def advance(
    solution: Solution, coefficients: Coefficients, feed: Feed, *, duration_h: float, steps: int
) -> Solution:
    """Advance both paths, the coarse one in `steps` steps and the fine one in twice as many.

    All members have feed of one composition.
    """
    members = solution.fine.shape[-1]
    constants = np.empty((_CONSTANTS, members))
    for row, value in enumerate(
        (
            coefficients.mu_max, coefficients.k_d, coefficients.m_glc, coefficients.y_lac_glc,
            coefficients.q_mab, feed.rate_l_per_h,
        )
    ):  # fmt: skip
        constants[row] = value
    found = [
        rk4(
            np.ascontiguousarray(state), constants, float(feed.glucose_mmol_l),
            float(feed.glutamine_mmol_l),
            duration_h / count, count,
        )
        for state, count in ((solution.fine, 2 * steps), (solution.coarse, steps))
    ]  # fmt: skip
    return Solution(fine=found[0], coarse=found[1])


@compiled
def rk4(
    states: FloatArray, constants: FloatArray, feed_glucose: float, feed_glutamine: float,
    step_h: float, steps: int,
) -> FloatArray:  # fmt: skip
    """Advance every member by `steps` steps of the classical Runge-Kutta method."""
    members = states.shape[1]
    out = np.empty((STATES, members))
    w = np.empty(_SIZE)
    for first in range(0, members, _BLOCK):
        for row in range(STATES):
            for m in range(_BLOCK):
                w[row * _BLOCK + m] = states[row, min(first + m, members - 1)]
        for row in range(_CONSTANTS):
            for m in range(_BLOCK):
                w[_OF + row * _BLOCK + m] = constants[row, min(first + m, members - 1)]
        for _ in range(steps):
            _step(w, feed_glucose, feed_glutamine, step_h)
        for row in range(STATES):
            for m in range(min(_BLOCK, members - first)):
                out[row, first + m] = w[row * _BLOCK + m]
    return out


@compiled
def _step(w: FloatArray, feed_glucose: float, feed_glutamine: float, step_h: float) -> None:
    for i in range(STATES * _BLOCK):
        w[_AT + i] = w[i]
        w[_SUM + i] = 0.0
    for stage in range(4):
        weight = 1.0 if stage in (0, 3) else 2.0
        ahead = step_h if stage == 2 else 0.5 * step_h
        _stage(w, feed_glucose, feed_glutamine, weight, ahead)
    sixth = step_h / 6.0
    for i in range(STATES * _BLOCK):
        w[i] += sixth * w[_SUM + i]


@compiled
def _stage(
    w: FloatArray, feed_glucose: float, feed_glutamine: float, weight: float, ahead: float
) -> None:
    """Take the derivative, add it to the weighted sum, and go where the next one is taken."""
    for m in range(_BLOCK):
        viable = max(w[_AT + m], 0.0)
        dead = max(w[_AT + _BLOCK + m], 0.0)
        glc = max(w[_AT + 2 * _BLOCK + m], 0.0)
        gln = max(w[_AT + 3 * _BLOCK + m], 0.0)
        lac = max(w[_AT + 4 * _BLOCK + m], 0.0)
        amm = max(w[_AT + 5 * _BLOCK + m], 0.0)
        mab = max(w[_AT + 6 * _BLOCK + m], 0.0)
        volume = max(w[_AT + 7 * _BLOCK + m], 0.0)
        mu_max = w[_OF + m]
        k_d = w[_OF + _BLOCK + m]
        m_glc = w[_OF + 2 * _BLOCK + m]
        y_lac_glc = w[_OF + 3 * _BLOCK + m]
        q_mab = w[_OF + 4 * _BLOCK + m]
        rate = w[_OF + 5 * _BLOCK + m]

        # Six quotients by one division: a division costs as much as a dozen multiplications.
        of_growth = ((glc + _K_GLC) * (lac + _KI_LAC)) * ((gln + _K_GLN) * (amm + _KI_AMM))
        of_death = (lac + _KD_LAC) * (amm + _KD_AMM)
        of_glc, of_gln, of_amm = glc + _K_MAINTENANCE, gln + _A2, amm + _K_REMOVAL
        p2 = of_growth * of_death
        p3 = p2 * of_glc
        p4 = p3 * of_gln
        p5 = p4 * of_amm
        rest = 1.0 / (p5 * volume)
        dilution = rate * (rest * p5)
        rest *= volume
        amm_left = amm * (rest * p4)
        rest *= of_amm
        gln_share = gln * (rest * p3)
        rest *= of_gln
        glc_share = glc * (rest * p2)
        rest *= of_glc
        death = k_d * ((lac * amm * viable) * (rest * of_growth))
        rest *= of_death
        growth = (mu_max * _INHIBITION) * ((glc * gln * viable) * rest)

        glc_uptake = _PER_GLC * growth + m_glc * (viable * glc_share)
        gln_growth = _PER_GLN * growth
        k0 = growth - death - dilution * viable
        k1 = death - dilution * dead
        k2 = dilution * (feed_glucose - glc) - glc_uptake
        k3 = dilution * (feed_glutamine - gln) - (gln_growth + _A1 * (viable * gln_share))
        k4 = y_lac_glc * glc_uptake - dilution * lac
        k5 = _Y_AMM_GLN * gln_growth - _R_AMM * (viable * amm_left) - dilution * amm
        k6 = q_mab * viable - dilution * mab

        w[_SUM + m] += weight * k0
        w[_SUM + _BLOCK + m] += weight * k1
        w[_SUM + 2 * _BLOCK + m] += weight * k2
        w[_SUM + 3 * _BLOCK + m] += weight * k3
        w[_SUM + 4 * _BLOCK + m] += weight * k4
        w[_SUM + 5 * _BLOCK + m] += weight * k5
        w[_SUM + 6 * _BLOCK + m] += weight * k6
        w[_SUM + 7 * _BLOCK + m] += weight * rate
        w[_AT + m] = w[m] + ahead * k0
        w[_AT + _BLOCK + m] = w[_BLOCK + m] + ahead * k1
        w[_AT + 2 * _BLOCK + m] = w[2 * _BLOCK + m] + ahead * k2
        w[_AT + 3 * _BLOCK + m] = w[3 * _BLOCK + m] + ahead * k3
        w[_AT + 4 * _BLOCK + m] = w[4 * _BLOCK + m] + ahead * k4
        w[_AT + 5 * _BLOCK + m] = w[5 * _BLOCK + m] + ahead * k5
        w[_AT + 6 * _BLOCK + m] = w[6 * _BLOCK + m] + ahead * k6
        w[_AT + 7 * _BLOCK + m] = w[7 * _BLOCK + m] + ahead * rate
