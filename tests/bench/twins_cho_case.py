"""The case that all solvers of the CHO fed-batch get: 14 days, ten feed rates, an ensemble of cells.

Pure NumPy, so that another Python can run it too. The equations are written as anyone would write
them from the paper, and share nothing with the product's.
"""

import numpy as np

HOURS = 336.0
STARTS_H = (0.0, 72.0, 96.0, 120.0, 144.0, 168.0, 192.0, 216.0, 240.0, 264.0, HOURS)
RATES = (0.0, 0.16, 0.21, 0.28, 0.32, 0.38, 0.46, 0.53, 0.63, 0.78)
START = np.array([0.40, 0.01, 36.0, 6.0, 0.5, 0.5, 0.0, 150.0])
SCALE = np.array([0.1, 0.1, 1.0, 0.5, 1.0, 0.5, 0.1, 1.0])
GLC_IN, GLN_IN = 600.0, 60.0
# mu_max, k_d, m_glc, y_lac_glc, q_mab
NOMINAL = np.array([0.039, 0.004, 69.2e-3, 0.35, 1.51e-3])
SPREAD = np.array([0.05, 0.15, 0.06, 0.10, 0.08])


def ensemble(count: int) -> np.ndarray:
    """Return the constants of each member, shape (members, 5)."""
    dice = np.random.default_rng(11)
    return NOMINAL * (1.0 + SPREAD * np.clip(dice.standard_normal((count, 5)), -3.0, 3.0))


def rhs(t, y, mu_max, k_d, m_glc, y_lac, q_mab, rate):
    v, d, glc, gln, lac, amm, mab, vol = y
    growth = (
        mu_max * v * glc / (glc + 1.0) * gln / (gln + 0.047)
        * 43.0 / (lac + 43.0) * 6.51 / (amm + 6.51)
    )  # fmt: skip
    death = k_d * v * lac / (lac + 45.8) * amm / (amm + 6.51)
    glc_uptake = growth / 0.357 + m_glc * v * glc / (glc + 0.5)
    gln_growth = growth / 0.974
    dil = rate / vol
    return [
        growth - death - dil * v,
        death - dil * d,
        dil * (GLC_IN - glc) - glc_uptake,
        dil * (GLN_IN - gln) - gln_growth - 3.2e-3 * v * gln / (gln + 2.1),
        y_lac * glc_uptake - dil * lac,
        0.67 * gln_growth - 6.3e-3 * v * amm / (amm + 0.1) - dil * amm,
        q_mab * v - dil * mab,
        rate,
    ]


def error(found: np.ndarray, exact: np.ndarray) -> float:
    """Return the largest error of any state of any member at the end of any feed rate."""
    return float(np.max(np.abs(found - exact) / (SCALE + np.abs(exact))))
