"""Integrate the same equations with a second, unrelated solver, to check the first on demand."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from twins.models import integrate
from twins.models.penicillin_fed_batch import equations, parameters
from twins.models.penicillin_fed_batch import layout as at

FloatArray = NDArray[np.float64]


def states(
    initial: FloatArray,
    inputs: FloatArray,
    *,
    ends_h: FloatArray,
    constants: FloatArray | None = None,
    method: Literal["LSODA", "BDF"] = "LSODA",
    rtol: float = 1e-8,
    start_h: float = 0.0,
) -> FloatArray:
    """Return the states at every end, as `simulation.simulate`; raise `IntegrationInaccurate`."""
    p = parameters.nominal() if constants is None else constants
    found = np.empty((len(ends_h), at.STATES))
    x, t = initial.copy(), start_h
    for place, end_h in enumerate(ends_h):
        x[at.SUM_P] = x[at.SUM_X] = 0.0

        def rates(now: float, y: FloatArray, u: FloatArray = inputs[place]) -> FloatArray:
            out = np.empty(at.STATES)
            equations.derivative(now, y, p, u, out)
            return out

        solved = solve_ivp(
            rates, (t, float(end_h)), x, method=method, rtol=rtol, atol=rtol * equations.SCALE,
            t_eval=[float(end_h)],
        )  # fmt: skip
        if not solved.success:
            raise integrate.IntegrationInaccurate(f"{method} at {t:g} h: {solved.message}")
        x, t = solved.y[:, -1].copy(), float(end_h)
        found[place] = x
    return found


def difference(one: FloatArray, other: FloatArray) -> float:
    """Return the largest relative difference of two solutions, against the scale of each state."""
    return float(np.max(np.abs(one - other) / (equations.SCALE + np.abs(other))))
