"""Integrate the same equations with a second, unrelated solver, to check the first on demand."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from twins.models import cross_checks, integrate
from twins.models.cross_checks import CrossCheck
from twins.models.penicillin_fed_batch import equations, parameters, simulation
from twins.models.penicillin_fed_batch import layout as at
from twins.models.penicillin_fed_batch.declared import DECLARATION

FloatArray = NDArray[np.float64]

REFERENCE_HOURS = 60.0
_SAMPLE_H = 0.2


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


def reference_inputs() -> FloatArray:
    """Return the inputs of a batch of 60 hours under a recipe like the source's, a row a sample.

    Sugar runs out, dissolved oxygen falls and rises, and broth is discharged: what is hard to solve.
    """
    times = np.arange(1, round(REFERENCE_HOURS / _SAMPLE_H) + 1) * _SAMPLE_H
    inputs = np.zeros((len(times), at.INPUTS))
    inputs[:, at.FG] = np.interp(times, [0.0, 8.0, 20.0, 40.0], [30.0, 42.0, 55.0, 60.0])
    inputs[:, at.RPM] = 100.0
    inputs[:, at.FS] = np.interp(
        times, [0.0, 8.0, 15.0, 20.0, 24.0, 60.0], [8, 15, 30, 120, 30, 70]
    )
    inputs[:, at.FOIL] = 30.0
    inputs[:, at.FPAA] = np.where(times > 40.0, 10.0, 1.0)
    inputs[:, at.FB] = np.interp(times, [0.0, 10.0, 20.0, 24.0, 60.0], [10, 40, 150, 60, 60])
    inputs[:, at.FC] = np.interp(times, [0.0, 10.0, 20.0, 24.0, 60.0], [60, 150, 520, 260, 200])
    inputs[:, at.FW] = np.where(times > 50.0, 400.0, 0.0)
    inputs[:, at.PRESSURE] = np.interp(times, [0.0, 30.0, 40.0], [0.6, 0.9, 1.1])
    inputs[(times > 45.0) & (times < 45.9), at.DISCHARGE] = -4000.0
    return inputs


def reference() -> CrossCheck:
    """Compare both solvers on the batch of `reference_inputs`."""
    inputs = reference_inputs()
    ends_h: FloatArray = np.arange(1, len(inputs) + 1, dtype=np.float64) * _SAMPLE_H
    run = simulation.simulate(simulation.inoculated(), inputs, ends_h=ends_h)
    other = states(simulation.inoculated(), inputs, ends_h=ends_h)
    return cross_checks.compare(
        run.states[1:], other, model=DECLARATION.name, solvers=("RK4", "LSODA"),
        states=DECLARATION.states, ends_h=ends_h.tolist(), scale=equations.SCALE, error=run.error,
    )  # fmt: skip
