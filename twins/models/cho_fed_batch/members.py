"""The equations of each member of an ensemble: states above, uncertain parameters below."""

import numpy as np
from numpy.typing import NDArray

from twins.models.cho_fed_batch import measuring, parameters
from twins.models.cho_fed_batch.declared import UNCERTAIN
from twins.models.cho_fed_batch.equations import STATE_NAMES, Coefficients, Feed
from twins.models.requests import ForecastRequest

FloatArray = NDArray[np.float64]

STATES = len(STATE_NAMES)
NOMINAL: FloatArray = np.array([[one.nominal] for one in UNCERTAIN])
PRIOR_SD: FloatArray = np.array([[one.prior_sd] for one in UNCERTAIN])
WALK: FloatArray = np.array([[one.walk_per_sqrt_h] for one in UNCERTAIN])
FUTURE_WALK: FloatArray = np.array([[one.future_walk_per_sqrt_h] for one in UNCERTAIN])
_LOW: FloatArray = np.array([[one.low] for one in UNCERTAIN])
_HIGH: FloatArray = np.array([[one.high] for one in UNCERTAIN])


def coefficients(rows: FloatArray) -> Coefficients:
    """Return each member's constants."""
    known = parameters.VALUES
    return Coefficients(
        mu_max=known["mu_max"] * rows[measuring.MU_MAX],
        k_d=known["k_d"] * rows[measuring.K_D],
        m_glc=known["m_glc"] * rows[measuring.M_GLC],
        y_lac_glc=known["y_lac_glc"] * rows[measuring.Y_LAC],
        q_mab=known["q_mab"] * rows[measuring.Q_MAB],
    )


def feed(rows: FloatArray, request: ForecastRequest, *, commanded_l_per_h: float) -> Feed:
    """Return what flows into each member under a commanded feed, of which its pump has a share."""
    return Feed(
        rate_l_per_h=commanded_l_per_h * rows[measuring.PUMP],
        glucose_mmol_l=request.feed_glucose_mmol_l,
        glutamine_mmol_l=request.feed_glutamine_mmol_l,
    )


def bounded(rows: FloatArray) -> FloatArray:
    """Keep concentrations from being negative and parameters inside their declared range."""
    return np.concatenate(
        [np.maximum(rows[:STATES], 0.0), np.clip(rows[STATES:], _LOW, _HIGH)], axis=0
    )
