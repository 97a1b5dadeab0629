"""Mass balances of the CHO fed-batch, for a whole ensemble at once.

Growth is Monod in glucose and glutamine, inhibited by lactate and ammonium; death is promoted by
both; glucose and glutamine go into growth and maintenance; lactate follows glucose, ammonium
follows glutamine and is partly removed; the antibody is made at a constant rate a viable cell.
Every concentration is diluted by the feed. The source gives no effect of temperature, pH or
dissolved oxygen, so there is none: outside the declared ranges the twin does not answer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twins.models.cho_fed_batch.parameters import VALUES
from twins.models.integrate import Derivative

FloatArray = NDArray[np.float64]

STATE_NAMES = (
    "viable_cells_1e6_per_ml",
    "dead_cells_1e6_per_ml",
    "glucose_mmol_l",
    "glutamine_mmol_l",
    "lactate_mmol_l",
    "ammonium_mmol_l",
    "mab_g_l",
    "volume_l",
)
VIABLE, DEAD, GLUCOSE, GLUTAMINE, LACTATE, AMMONIUM, MAB, VOLUME = range(8)

# What an error is measured against when a state is near zero, in the unit of the state.
SCALE: FloatArray = np.array([[0.1], [0.1], [1.0], [0.5], [1.0], [0.5], [0.1], [1.0]])

# Glucose, glutamine, lactate, ammonium: the four balances that growth and death look at, in order.
_GROWTH = ("k_glc", "k_gln", "ki_lac", "ki_amm")
_OTHER = ("k_maintenance", "a2", "kd_lac", "kd_amm")


@dataclass(frozen=True)
class Coefficients:
    """The constants that are estimated: a number each, or one number a member."""

    mu_max: FloatArray | float = VALUES["mu_max"]
    k_d: FloatArray | float = VALUES["k_d"]
    m_glc: FloatArray | float = VALUES["m_glc"]
    y_lac_glc: FloatArray | float = VALUES["y_lac_glc"]
    q_mab: FloatArray | float = VALUES["q_mab"]


@dataclass(frozen=True)
class Feed:
    """What flows in: litres an hour and its composition, each a number, or one a member."""

    rate_l_per_h: FloatArray | float
    glucose_mmol_l: FloatArray | float
    glutamine_mmol_l: FloatArray | float


def derivative(
    coefficients: Coefficients, feed: Feed, known: Mapping[str, FloatArray | float] = VALUES
) -> Derivative:
    """Return dx/dt as a function of the states, for constant coefficients and feed.

    `known` are the other constants: those of the source, or one number a member where they are fitted.
    """
    growth_constants, other_constants = _rows(known, _GROWTH), _rows(known, _OTHER)
    per_glc, per_gln = 1.0 / known["y_x_glc"], 1.0 / known["y_x_gln"]
    fastest = coefficients.mu_max * (known["ki_lac"] * known["ki_amm"])
    incoming: FloatArray = np.zeros((len(STATE_NAMES), np.size(feed.glucose_mmol_l)))
    incoming[GLUCOSE], incoming[GLUTAMINE] = feed.glucose_mmol_l, feed.glutamine_mmol_l

    def rates(state: FloatArray) -> FloatArray:
        present = np.maximum(state, 0.0)
        viable = present[VIABLE]
        solutes = present[GLUCOSE:MAB]
        limiting = solutes + growth_constants
        pairs = limiting[:2] * limiting[2:]
        growth = fastest * (solutes[0] * solutes[1] * viable) / (pairs[0] * pairs[1])
        glc_share, gln_share, lac_share, amm_share = solutes / (solutes + other_constants)
        amm_left = solutes[3] / (known["k_removal"] + solutes[3])
        death = coefficients.k_d * (lac_share * amm_share * viable)
        glc_uptake = per_glc * growth + coefficients.m_glc * (viable * glc_share)
        gln_growth = per_gln * growth
        change: FloatArray = (feed.rate_l_per_h / present[VOLUME]) * (incoming - present)
        change[VIABLE] += growth - death
        change[DEAD] += death
        change[GLUCOSE] -= glc_uptake
        change[GLUTAMINE] -= gln_growth + known["a1"] * (viable * gln_share)
        change[LACTATE] += coefficients.y_lac_glc * glc_uptake
        change[AMMONIUM] += known["y_amm_gln"] * gln_growth - known["r_amm"] * (viable * amm_left)
        change[MAB] += coefficients.q_mab * viable
        change[VOLUME] = feed.rate_l_per_h
        return change

    return rates


def _rows(known: Mapping[str, FloatArray | float], names: Sequence[str]) -> FloatArray:
    found: FloatArray = np.stack(np.broadcast_arrays(*(np.atleast_1d(known[one]) for one in names)))
    return found


def viability_pct(states: FloatArray) -> FloatArray:
    """Return the viable share of all counted cells."""
    viable, dead = states[VIABLE], states[DEAD]
    share: FloatArray = 100.0 * viable / np.maximum(viable + dead, 1e-9)
    return share
