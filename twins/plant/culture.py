"""What really happens in the simulated vessel: richer than any twin and hidden from it.

The balances have the twin's structure, but lactate is made less as growth slows, warm or cold
cultures grow slower and die faster, starved cells die, dead cells lyse, water evaporates, and every
constant differs from lot to lot.
"""

import math
from dataclasses import dataclass

import numpy as np

# Rows of the state.
VIABLE, DEAD, GLUCOSE, GLUTAMINE, LACTATE, AMMONIUM, MAB, VOLUME = range(8)

# Constant, value, lot-to-lot coefficient of variation.
_LOT: tuple[tuple[str, float, float], ...] = (
    ("mu_max", 0.0385, 0.010),
    ("k_d", 0.005, 0.08),
    ("k_glc", 1.1, 0.05),
    ("k_gln", 0.05, 0.05),
    ("ki_lac", 45.0, 0.04),
    ("ki_amm", 6.8, 0.04),
    ("kd_lac", 44.0, 0.04),
    ("kd_amm", 6.0, 0.04),
    ("per_x_glc", 2.75, 0.010),
    ("per_x_gln", 1.03, 0.02),
    ("y_lac_glc", 0.72, 0.05),
    ("mu_half_shift", 0.020, 0.05),
    ("y_amm_gln", 0.66, 0.03),
    ("r_amm", 6.0e-3, 0.05),
    ("m_glc", 0.0680, 0.012),
    ("a1", 3.2e-3, 0.05),
    ("q_mab", 1.50e-3, 0.03),
    ("k_starved", 0.03, 0.10),
    ("k_lysis", 0.003, 0.10),
    ("evaporation_l_per_h", 0.004, 0.20),
    ("pump", 1.0, 0.007),
)

State = tuple[float, float, float, float, float, float, float, float]


@dataclass(frozen=True)
class Conditions:
    """What acts on the culture during a step."""

    feed_l_per_h: float
    feed_glucose_mmol_l: float
    feed_glutamine_mmol_l: float
    temperature_c: float


def viability_pct(state: State) -> float:
    """Return the viable share of all counted cells."""
    return 100.0 * state[VIABLE] / (state[VIABLE] + state[DEAD])


def draw_lot(generator: np.random.Generator) -> dict[str, float]:
    """Draw the hidden constants of one batch."""
    return {
        name: value * (1.0 + spread * min(max(float(generator.standard_normal()), -2.0), 2.0))
        for name, value, spread in _LOT
    }


def advance(
    state: State, lot: dict[str, float], now: Conditions, *, duration_h: float, steps: int = 2
) -> State:
    """Advance one vessel by classical Runge-Kutta."""
    step_h = duration_h / steps
    for _ in range(steps):
        k1 = _rates(state, lot, now)
        k2 = _rates(_moved(state, k1, step_h / 2.0), lot, now)
        k3 = _rates(_moved(state, k2, step_h / 2.0), lot, now)
        k4 = _rates(_moved(state, k3, step_h), lot, now)
        slope = [
            (a + 2.0 * b + 2.0 * c + d) / 6.0 for a, b, c, d in zip(k1, k2, k3, k4, strict=True)
        ]
        state = _moved(state, slope, step_h)
    return state


def _moved(state: State, slope: list[float], step_h: float) -> State:
    v, d, g, q, lac, a, m, vol = (
        max(value + step_h * rate, 0.0) for value, rate in zip(state, slope, strict=True)
    )
    return v, d, g, q, lac, a, m, vol


def _rates(state: State, lot: dict[str, float], now: Conditions) -> list[float]:
    viable, dead, glc, gln, lac, amm, mab, volume = state
    away_c = now.temperature_c - 36.8
    growth = (
        lot["mu_max"]
        * math.exp(-0.18 * away_c * away_c)
        * (glc / (lot["k_glc"] + glc))
        * (gln / (lot["k_gln"] + gln))
        / ((1.0 + lac / lot["ki_lac"]) * (1.0 + amm / lot["ki_amm"]))
    )
    death = (
        lot["k_d"] * (lac / (lot["kd_lac"] + lac)) * (amm / (lot["kd_amm"] + amm))
        + lot["k_starved"] / (1.0 + (glc / 0.8) ** 2)
        + 0.002 * max(away_c - 0.7, 0.0) ** 2
    )
    glc_uptake = lot["per_x_glc"] * growth + lot["m_glc"] * glc / (0.4 + glc)
    gln_growth = lot["per_x_gln"] * growth
    lactate_yield = lot["y_lac_glc"] * growth / (growth + lot["mu_half_shift"])
    dilution = now.feed_l_per_h / volume
    concentrating = lot["evaporation_l_per_h"] / volume
    net = concentrating - dilution
    return [
        (growth - death + net) * viable,
        death * viable + (net - lot["k_lysis"]) * dead,
        dilution * now.feed_glucose_mmol_l - glc_uptake * viable + net * glc,
        dilution * now.feed_glutamine_mmol_l
        - (gln_growth + lot["a1"] * gln / (2.1 + gln)) * viable
        + net * gln,
        lactate_yield * glc_uptake * viable + net * lac,
        (lot["y_amm_gln"] * gln_growth - lot["r_amm"] * amm / (0.1 + amm)) * viable + net * amm,
        lot["q_mab"] * viable + net * mab,
        now.feed_l_per_h - lot["evaporation_l_per_h"],
    ]
