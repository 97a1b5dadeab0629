"""Integrate the same equations with a second, unrelated solver, to check the first on demand."""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from twins.models import cross_checks, integrate
from twins.models.cho_fed_batch import equations, simulation
from twins.models.cho_fed_batch.declared import DECLARATION
from twins.models.cho_fed_batch.equations import STATE_NAMES, Coefficients, Feed
from twins.models.cross_checks import CrossCheck

FloatArray = NDArray[np.float64]

# A batch of twelve days in the declared range: 15 mmol/L of glucose and 1.5 of glutamine fed a day.
REFERENCE_INITIAL: dict[str, float] = {
    "viable_cells_1e6_per_ml": 0.40,
    "dead_cells_1e6_per_ml": 0.01,
    "glucose_mmol_l": 36.0,
    "glutamine_mmol_l": 6.0,
    "lactate_mmol_l": 0.5,
    "ammonium_mmol_l": 0.5,
    "mab_g_l": 0.0,
    "volume_l": 150.0,
}
REFERENCE_FEED = (600.0, 60.0)
REFERENCE_ENDS_H = tuple(float(hour) for hour in range(1, 289))
REFERENCE_RATES = tuple(
    0.0 if end <= 72.0 else 0.16 + 0.0025 * (end - 72.0) for end in REFERENCE_ENDS_H
)


def states(
    initial: Mapping[str, float],
    *,
    ends_h: Sequence[float],
    rates_l_per_h: Sequence[float],
    feed_glucose_mmol_l: float,
    feed_glutamine_mmol_l: float,
    coefficients: Coefficients | None = None,
    method: Literal["LSODA", "BDF"] = "LSODA",
    rtol: float = 1e-9,
) -> FloatArray:
    """Return states (states, times) as `simulation.simulate`; raise `IntegrationInaccurate`."""
    x = np.array([float(initial[name]) for name in STATE_NAMES])
    found, start_h = [x], 0.0
    for end_h, rate in zip(ends_h, rates_l_per_h, strict=True):
        feed = Feed(rate, feed_glucose_mmol_l, feed_glutamine_mmol_l)
        derivative = equations.derivative(coefficients or Coefficients(), feed)

        def rates(_: float, y: FloatArray, of: integrate.Derivative = derivative) -> FloatArray:
            change: FloatArray = of(y[:, np.newaxis])[:, 0]
            return change

        solved = solve_ivp(
            rates, (start_h, end_h), x, method=method, rtol=rtol, atol=rtol * equations.SCALE[:, 0]
        )
        if not solved.success:
            raise integrate.IntegrationInaccurate(f"{method} at {start_h:g} h: {solved.message}")
        x, start_h = solved.y[:, -1], end_h
        found.append(x)
    return np.stack(found, axis=-1)


def reference() -> CrossCheck:
    """Compare both solvers on a batch of twelve days."""
    glucose, glutamine = REFERENCE_FEED
    run = simulation.simulate(
        REFERENCE_INITIAL, ends_h=REFERENCE_ENDS_H, rates_l_per_h=REFERENCE_RATES,
        feed_glucose_mmol_l=glucose, feed_glutamine_mmol_l=glutamine,
    )  # fmt: skip
    other = states(
        REFERENCE_INITIAL, ends_h=REFERENCE_ENDS_H, rates_l_per_h=REFERENCE_RATES,
        feed_glucose_mmol_l=glucose, feed_glutamine_mmol_l=glutamine,
    )  # fmt: skip
    return cross_checks.compare(
        run.states.T, other.T, model=DECLARATION.name, solvers=("RK4", "LSODA"),
        states=DECLARATION.states, ends_h=run.ends_h, scale=equations.SCALE[:, 0], error=run.error,
    )  # fmt: skip
