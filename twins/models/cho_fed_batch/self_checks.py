"""Checks that a run of the CHO fed-batch must pass before anyone looks at it.

They use what the equations promise but the integration does not enforce: volume balance, the
lactate that glucose leaves behind, no negative concentration, and no carbon out of nothing.
"""

import numpy as np

from twins.models.cho_fed_batch.equations import (
    GLUCOSE,
    GLUTAMINE,
    LACTATE,
    MAB,
    STATE_NAMES,
    VIABLE,
    VOLUME,
)
from twins.models.cho_fed_batch.parameters import VALUES
from twins.models.cho_fed_batch.simulation import Run
from twins.models.self_checking import SelfCheckFailed

# Carbon, mmol: dry mass of 350 pg a cell at 45 % carbon, antibody at 53 % carbon.
_CARBON_A_CELL_UNIT = 350e-12 * 0.45 / 12.011 * 1e3 * 1e9
_CARBON_A_GRAM_OF_MAB = 0.53 / 12.011 * 1e3


def require(
    run: Run,
    *,
    rates_l_per_h: tuple[float, ...],
    feed_glucose_mmol_l: float,
    feed_glutamine_mmol_l: float,
    y_lac_glc: float = VALUES["y_lac_glc"],
    tolerance: float = 1e-4,
) -> None:
    """Raise `SelfCheckFailed` with the first balance that does not close."""
    if np.any(run.states < -1e-9):
        row = int(np.argwhere(run.states < -1e-9)[0][0])
        raise SelfCheckFailed(f"{STATE_NAMES[row]} becomes negative")
    first, last = run.states[:, 0], run.states[:, -1]
    fed_l = sum(
        rate * (end - start)
        for rate, start, end in zip(rates_l_per_h, run.ends_h, run.ends_h[1:], strict=False)
    )
    _close("volume", float(last[VOLUME] - first[VOLUME]), fed_l, tolerance, float(last[VOLUME]))

    def gained(row: int, fed_mmol_l: float = 0.0) -> float:
        return float(last[row] * last[VOLUME] - first[row] * first[VOLUME]) - fed_l * fed_mmol_l

    glucose_used = -gained(GLUCOSE, feed_glucose_mmol_l)
    lactate = gained(LACTATE)
    _close("lactate from glucose", lactate, y_lac_glc * glucose_used, tolerance, glucose_used)
    carbon_in = 6.0 * glucose_used - 5.0 * gained(GLUTAMINE, feed_glutamine_mmol_l)
    carbon_out = (
        3.0 * lactate + _CARBON_A_CELL_UNIT * gained(VIABLE) + _CARBON_A_GRAM_OF_MAB * gained(MAB)
    )
    if carbon_out > carbon_in:
        raise SelfCheckFailed(
            f"carbon out of nothing: {carbon_out:.1f} mmol from {carbon_in:.1f} mmol"
        )


def _close(what: str, found: float, expected: float, tolerance: float, scale: float) -> None:
    if abs(found - expected) > tolerance * max(abs(scale), 1.0):
        raise SelfCheckFailed(f"the balance of {what} does not close: {found:g}, {expected:g}")
