"""Compare the penicillin twin with the 13 batches of the source's own simulator, state by state.

`python -m tests.twins.models.penicillin_fed_batch.reference FOLDER` prints the table; FOLDER holds
matlab_reference_13batches.parquet. The recorded inputs drive the twin. What the source disturbs at
random and does not record is found again from one balance each, and that balance is then no evidence:

    c_s from weight, o2_in from off-gas oxygen, c_paa from precursor, c_acid_base from pH, t_coolant from
    temperature (and so the sum of heat); mu_p and mu_x from the two recorded rates; one alpha_kla and
    n_paa a batch. The strength of the oil is disturbed too and stays at its mean here.

The other 25 states are free: from the first sample to the last nothing corrects them.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from twins.models.penicillin_fed_batch import equations, integration, stabilised
from twins.models.penicillin_fed_batch import layout as at
from twins.models.penicillin_fed_batch import parameters as k

FloatArray = NDArray[np.float64]

STATES = (
    "S", "DO2", "O2", "P", "V", "Wt", "pH", "T", "Q", "Viscosity", "Culture_age", "a0", "a1", "a3", "a4",
    *(f"n{size}" for size in range(10)),
    "nm", "phi0", "CO2outgas", "CO2_d", "PAA", "NH3", "mu_P_calc", "mu_X_calc",
)  # fmt: skip
INPUTS = ["Fg", "RPM", "Fpaa", "Fs", "Fa", "Fb", "Fc", "Foil", "Fh", "Fw", "pressure", "Fremoved"]
DRIVEN = ("Wt", "O2", "PAA", "pH", "T", "Q", "mu_P_calc", "mu_X_calc")
SAMPLE_H = 0.2
STEPS_A_SAMPLE = 64
_TABLE = stabilised.coefficients(20)


@dataclass(frozen=True)
class Batch:
    """States in the order and units of the equations, inputs that hold until each sample."""

    seed: int
    fault: int
    times: FloatArray
    states: FloatArray
    inputs: FloatArray


def batches(folder: Path) -> list[Batch]:
    """Read the reference."""
    from pyarrow import parquet

    table = parquet.read_table(folder / "matlab_reference_13batches.parquet")
    columns = {name: table[name].to_numpy().astype(np.float64) for name in table.column_names}
    found = []
    for seed in sorted(set(columns["seed"])):
        mine = columns["seed"] == seed
        states = np.stack([columns[name][mine] for name in STATES], axis=1)
        states[:, at.Q] *= 1000.0
        inputs = np.zeros((len(states), at.INPUTS))
        inputs[:, : len(INPUTS)] = np.stack([columns[name][mine] for name in INPUTS], axis=1)
        times = SAMPLE_H * np.arange(1, len(states) + 1)
        found.append(Batch(int(seed), int(columns["fault"][mine][0]), times, states, inputs))
    return found


def _disturbed(p: FloatArray, wrong: FloatArray, x: FloatArray, u: FloatArray) -> None:
    """Move each disturbed constant by what its own balance was wrong by."""
    h = SAMPLE_H
    protons = 10.0 ** -x[at.PH]
    flow = 0.01 * (u[at.FB] - u[at.FA]) / x[at.V]
    mass = x[at.V] / 1000.0 * equations.broth_density(x) * p[k.CP_WATER]
    # Constant, state, its response to the constant over a sample, doubt about constant and state.
    for place, state, response, doubt, blur in (
        (k.C_S, at.W, u[at.FS] * (p[k.RHO_SUGAR] - p[k.RHO_WATER]) * 1e-6 * h, 20.0, 0.02),
        (k.O2_IN, at.O2, 1.0, 1e-3, 1e-5),
        (k.C_PAA, at.PAA, u[at.FPAA] * h / x[at.V], 6e3, 0.01),
        (k.C_ACID_BASE, at.PH, 0.9 * flow * h / (protons * np.log(10.0)), 5e-3, 1e-3),
        (k.T_COOLANT, at.T, 3.6 * p[k.U_JACKET] * u[at.FC] * h / mass, 2.0, 0.01),
    ):
        gain = response * doubt**2 / (response**2 * doubt**2 + blur**2)
        p[place] += gain * wrong[state]


def _rates(p: FloatArray, target: FloatArray, got: FloatArray) -> None:
    p[k.MU_P] = target[at.SUM_P] / SAMPLE_H
    if target[at.SUM_X] > 1e-3 and got[at.SUM_X] > 1e-3:
        p[k.MU_X] = min(max(p[k.MU_X] * target[at.SUM_X] / got[at.SUM_X], 0.2), 0.8)


def _own_constants(batch: Batch) -> FloatArray:
    """Fit the two constants that a batch has for itself, on single steps between recorded samples."""
    p = k.nominal()
    work = np.empty((6, at.STATES))
    chosen = range(20, len(batch.states) - 1, 15)
    for _ in range(4):
        slopes, nitrogen = [], []
        for j in chosen:
            q = p.copy()
            results = []
            for turn in range(3):
                x = batch.states[j].copy()
                x[at.SUM_P] = x[at.SUM_X] = 0.0
                if turn == 2:
                    q = q.copy()
                    q[k.ALPHA_KLA] *= 1.02
                stabilised.rkc(batch.times[j], x, q, batch.inputs[j + 1], SAMPLE_H, 2, _TABLE, work)
                if turn == 0:
                    q[k.O2_IN] += batch.states[j + 1, at.O2] - x[at.O2]
                    _rates(q, batch.states[j + 1], x)
                else:
                    results.append(x)
            wrong = batch.states[j + 1, at.DO] - results[0][at.DO]
            response = results[1][at.DO] - results[0][at.DO]
            if response > 1e-3:
                slopes.append((0.02 * wrong / response, response))
            fed = batch.inputs[j + 1, at.FPAA] * SAMPLE_H / batch.states[j, at.V]
            nitrogen.append((batch.states[j + 1, at.NH3] - results[0][at.NH3], fed))
        p[k.ALPHA_KLA] *= 1.0 + np.clip(np.median([one for one, _ in slopes]), -0.3, 0.3)
        p[k.N_PAA] += np.median([one / fed for one, fed in nitrogen if fed > 5.0 * SAMPLE_H / 1e5])
    return p


def compare(batch: Batch) -> tuple[FloatArray, FloatArray, float]:
    """Return the run, one-step predictions, and the worst step-halving error of the run."""
    p = _own_constants(batch)
    single = p.copy()
    work = np.empty((6, at.STATES))
    count = len(batch.states)
    run, steps = batch.states.copy(), batch.states.copy()
    fine, coarse = batch.states[0].copy(), batch.states[0].copy()
    worst = 0.0
    for j in range(count - 1):
        t, u, target = batch.times[j], batch.inputs[j + 1], batch.states[j + 1]
        for q, start in ((p, fine), (single, batch.states[j])):
            for _ in range(2):
                x = start.copy()
                x[at.SUM_P] = x[at.SUM_X] = 0.0
                stabilised.rkc(t, x, q, u, SAMPLE_H, 1, _TABLE, work)
                _disturbed(q, target - x, start, u)
                _rates(q, target, x)
        for x in (fine, coarse):
            x[at.SUM_P] = x[at.SUM_X] = 0.0
        integration.rk4(t, fine, p, u, SAMPLE_H, 2 * STEPS_A_SAMPLE, work)
        integration.rk4(t, coarse, p, u, SAMPLE_H, STEPS_A_SAMPLE, work)
        worst = max(worst, integration.halving_error(fine, coarse))
        # The reference lets the sum of heat not become negative between samples.
        fine[at.Q], coarse[at.Q] = max(fine[at.Q], 1e-3), max(coarse[at.Q], 1e-3)
        run[j + 1] = fine
        x = batch.states[j].copy()
        x[at.SUM_P] = x[at.SUM_X] = 0.0
        integration.rk4(t, x, single, u, SAMPLE_H, STEPS_A_SAMPLE, work)
        x[at.Q] = max(x[at.Q], 1e-3)
        steps[j + 1] = x
    return run, steps, worst


def table(found: list[tuple[Batch, FloatArray, FloatArray, float]]) -> list[dict[str, float | str]]:
    """Return a row a state: errors as a share of the state's range in its batch."""
    rows = []
    for place, name in enumerate(STATES):
        free, single = [], []
        for batch, run, steps, _ in found:
            span = np.ptp(batch.states[:, place])
            free.append(np.abs(run[1:, place] - batch.states[1:, place]) / span)
            single.append(np.abs(steps[1:, place] - batch.states[1:, place]) / span)
        whole, step = np.concatenate(free), np.concatenate(single)
        rows.append(
            {
                "state": name,
                "driven": "driven" if name in DRIVEN else "",
                "within": float(np.mean(whole < 0.01)),
                "median": float(np.median(whole)),
                "p95": float(np.quantile(whole, 0.95)),
                "largest": float(whole.max()),
                "step_p95": float(np.quantile(step, 0.95)),
            }
        )
    return rows


def main() -> int:
    found = [(batch, *compare(batch)) for batch in batches(Path(sys.argv[1]))]
    print(
        f"{'state':12} {'':7} {'<1 %':>7} {'median':>9} {'95 %':>9} {'max':>9} {'1 step 95 %':>12}"
    )
    for row in table(found):
        print(
            f"{row['state']:12} {row['driven']:7} {row['within']:7.2%} {row['median']:9.1e} "
            f"{row['p95']:9.1e} {row['largest']:9.1e} {row['step_p95']:12.1e}"
        )
    for batch, run, _, worst in found:
        last = run[-1, at.P] / batch.states[-1, at.P] - 1.0
        print(
            f"seed {batch.seed} fault {batch.fault}: final penicillin {last:+.2%}, error {worst:.0e}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
