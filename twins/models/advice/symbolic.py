"""The balances of the CHO fed-batch once more, in symbols that CasADi can differentiate.

Only the search for a move uses them; a test holds them to the equations that judge it.
"""

from collections.abc import Callable, Mapping
from typing import Any

import casadi

from twins.models.cho_fed_batch.equations import (
    AMMONIUM,
    DEAD,
    GLUCOSE,
    GLUTAMINE,
    LACTATE,
    MAB,
    STATE_NAMES,
    VIABLE,
    VOLUME,
)
from twins.models.cho_fed_batch.measuring import K_D, M_GLC, MU_MAX, PUMP, Q_MAB, ROW_NAMES, Y_LAC
from twins.models.cho_fed_batch.parameters import VALUES

# Coarser than the judge: a step of an hour is wrong by less than a setting of a pump.
STEPS_AN_HOUR = 1

# Process values on which limits can lie, as `measuring.PROCESS_VALUES` names them.
PROCESS_VALUES: Mapping[str, Callable[[Any], Any]] = {
    "viable_cells_1e6_per_ml": lambda x: x[VIABLE, :],
    "viability_pct": lambda x: 100.0 * x[VIABLE, :] / (x[VIABLE, :] + x[DEAD, :] + 1e-9),
    "glucose_mmol_l": lambda x: x[GLUCOSE, :],
    "lactate_mmol_l": lambda x: x[LACTATE, :],
    "ammonium_mmol_l": lambda x: x[AMMONIUM, :],
    "mab_g_l": lambda x: x[MAB, :],
    "volume_l": lambda x: x[VOLUME, :],
}


def rates(row: Any, commanded: Any, feed_glucose: float, feed_glutamine: float) -> Any:
    """Return dx/dt of the states in `row`, whose uncertain parameters stand below them."""
    known = VALUES
    viable, glc, gln = row[VIABLE], casadi.fmax(row[GLUCOSE], 0.0), casadi.fmax(row[GLUTAMINE], 0.0)
    lac, amm = row[LACTATE], row[AMMONIUM]
    growth = (
        known["mu_max"] * row[MU_MAX] * viable
        * glc / (known["k_glc"] + glc) * gln / (known["k_gln"] + gln)
        * known["ki_lac"] / (known["ki_lac"] + lac) * known["ki_amm"] / (known["ki_amm"] + amm)
    )  # fmt: skip
    death = (
        known["k_d"] * row[K_D] * viable * lac / (known["kd_lac"] + lac) * amm
        / (known["kd_amm"] + amm)
    )  # fmt: skip
    kept = known["m_glc"] * row[M_GLC] * viable * glc / (known["k_maintenance"] + glc)
    glc_uptake = growth / known["y_x_glc"] + kept
    gln_growth = growth / known["y_x_gln"]
    flow = commanded * row[PUMP]
    dilution = flow / row[VOLUME]
    change: dict[int, Any] = {
        VIABLE: growth - death - dilution * viable,
        DEAD: death - dilution * row[DEAD],
        GLUCOSE: dilution * (feed_glucose - glc) - glc_uptake,
        GLUTAMINE: dilution * (feed_glutamine - gln) - gln_growth
        - known["a1"] * viable * gln / (known["a2"] + gln),
        LACTATE: known["y_lac_glc"] * row[Y_LAC] * glc_uptake - dilution * lac,
        AMMONIUM: known["y_amm_gln"] * gln_growth
        - known["r_amm"] * viable * amm / (known["k_removal"] + amm) - dilution * amm,
        MAB: known["q_mab"] * row[Q_MAB] * viable - dilution * row[MAB],
        VOLUME: flow,
    }  # fmt: skip
    return casadi.vertcat(*(change[state] for state in range(len(STATE_NAMES))))


def hour(feed_glucose: float, feed_glutamine: float) -> Any:
    """Return the states after an interval, of states, uncertain parameters, rate and hours."""
    state = casadi.SX.sym("state", len(STATE_NAMES))
    uncertain = casadi.SX.sym("uncertain", len(ROW_NAMES) - len(STATE_NAMES))
    commanded, duration = casadi.SX.sym("commanded"), casadi.SX.sym("duration")

    def slope(at: Any) -> Any:
        return rates(casadi.vertcat(at, uncertain), commanded, feed_glucose, feed_glutamine)

    now, step = state, duration / STEPS_AN_HOUR
    for _ in range(STEPS_AN_HOUR):
        k1 = slope(now)
        k2 = slope(now + step / 2.0 * k1)
        k3 = slope(now + step / 2.0 * k2)
        k4 = slope(now + step * k3)
        now = now + step / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)
    return casadi.Function("hour", [state, uncertain, commanded, duration], [now])
