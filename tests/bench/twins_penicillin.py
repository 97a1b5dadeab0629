"""How many simulations of the penicillin twin a second of CPU gives, beside SciPy's LSODA, in one run.

One simulation is 60 h of the fed-batch, 33 states,
inputs that change every 12 minutes, one thread. The error of each solver is that of final penicillin,
and the largest of all states against their scale (95 % of samples), against LSODA at 1e-10.
"""

import statistics
import time
from collections.abc import Callable

import numpy as np

from tests.bench.measuring import Row
from twins.models.penicillin_fed_batch import (
    cross_check,
    equations,
    following,
    integration,
    parameters,
    simulation,
    stabilised,
)
from twins.models.penicillin_fed_batch import layout as at

ROUNDS = 5
SAMPLE_H = following.SAMPLE_H
ENSEMBLE = 40


def _recipe() -> np.ndarray:
    times = np.arange(1, 301) * SAMPLE_H
    inputs = np.zeros((300, at.INPUTS))
    inputs[:, at.FG] = np.interp(times, [0.0, 20.0, 40.0], [30.0, 55.0, 60.0])
    inputs[:, at.RPM], inputs[:, at.FOIL], inputs[:, at.FPAA] = 100.0, 30.0, 5.0
    inputs[:, at.FS] = np.interp(times, [0.0, 15.0, 20.0, 24.0, 60.0], [8, 30, 120, 30, 70])
    inputs[:, at.FB] = np.interp(times, [0.0, 20.0, 24.0, 60.0], [10, 150, 60, 60])
    inputs[:, at.FC] = np.interp(times, [0.0, 10.0, 20.0, 24.0, 60.0], [60, 150, 520, 260, 200])
    inputs[:, at.PRESSURE] = 0.9
    return inputs


def rows() -> list[Row]:
    """Measure each solver in turns."""
    inputs, start, p = _recipe(), simulation.inoculated(), parameters.nominal()
    ends = np.arange(1, 301) * SAMPLE_H
    rows_of_p = np.tile(p, (300, 1))
    out = np.empty((300, at.STATES))

    def lsoda(rtol: float) -> Callable[[], np.ndarray]:
        return lambda: cross_check.states(start, inputs, ends_h=ends, rtol=rtol)

    def rk4() -> np.ndarray:
        x, work, found = start.copy(), np.empty((6, at.STATES)), np.empty_like(out)
        for j in range(300):
            x[at.SUM_P] = x[at.SUM_X] = 0.0
            integration.rk4(j * SAMPLE_H, x, p, inputs[j], SAMPLE_H, 64, work)
            found[j] = x
        return found

    def rk4_with_error() -> np.ndarray:
        integration.trajectory(start, rows_of_p, inputs, ends, 0.0, 320.0, out)
        return out

    def chebyshev() -> np.ndarray:
        stabilised.trajectory(start, p, inputs, SAMPLE_H, following.TABLE, out)
        return out

    def ensemble() -> np.ndarray:
        for _ in range(ENSEMBLE):
            stabilised.trajectory(start, p, inputs, SAMPLE_H, following.TABLE, out)
        return out

    exact = lsoda(1e-10)()
    kinds: dict[str, tuple[Callable[[], np.ndarray], int]] = {
        "lsoda_1e-6": (lsoda(1e-6), 1),
        "lsoda_1e-3": (lsoda(1e-3), 1),
        "rk4_64_a_sample": (rk4, 1),
        "rk4_with_halving_error": (rk4_with_error, 1),
        "chebyshev_settled": (chebyshev, 1),
        "chebyshev_ensemble": (ensemble, ENSEMBLE),
    }
    errors, costs = {}, {name: [] for name in kinds}
    for name, (run, _) in kinds.items():
        found = run().copy()
        free = [row for row in range(at.STATES) if row not in (at.Q, at.SUM_P, at.SUM_X)]
        share = np.abs(found - exact) / (equations.SCALE + np.abs(exact))
        errors[name] = (
            abs(found[-1, at.P] / exact[-1, at.P] - 1.0),
            float(np.quantile(share[:, free].max(axis=1), 0.95)),
        )
    for _ in range(ROUNDS):
        for name, (run, count) in kinds.items():
            before = time.process_time()
            run()
            costs[name].append((time.process_time() - before) / count)
    rows: list[Row] = []
    for name in kinds:
        baseline = "lsoda_1e-3" if name.startswith("chebyshev") else "lsoda_1e-6"
        ratios = [b / c for b, c in zip(costs[baseline], costs[name], strict=True)]
        rows.append(
            Row(
                f"penicillin_{name}", 1.0 / statistics.median(costs[name]), "runs/CPU-s",
                1.0 / statistics.median(costs[baseline]), statistics.median(ratios),
                (min(ratios), max(ratios)),
            )
        )  # fmt: skip
        rows.append(Row(f"penicillin_{name}_error_product", errors[name][0], "1"))
        rows.append(Row(f"penicillin_{name}_error_states_95", errors[name][1], "1"))
    return rows
