"""Simulations of the CHO fed-batch a second of CPU, beside SciPy's LSODA and others at equal error."""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numba
import numpy as np
from scipy.integrate import odeint, solve_ivp

from tests.bench import twins_cho_case as case
from tests.bench.measuring import Row
from twins.models import estimation, integrate
from twins.models.cho_fed_batch import kernel
from twins.models.cho_fed_batch.equations import Coefficients, Feed

ROUNDS = 5
MEMBERS, PROBED = 1024, 8
TOLERANCES = tuple(10.0 ** (-n / 2) for n in range(6, 20))
STEPS_AN_HOUR = estimation.STEPS_AN_HOUR
ROOT = Path(__file__).resolve().parents[2]
_compiled = numba.njit(case.rhs)


@numba.njit
def _rhs_array(t, y, mu_max, k_d, m_glc, y_lac, q_mab, rate):
    return np.array(
        _compiled(t, (y[0], y[1], y[2], y[3], y[4], y[5], y[6], y[7]), mu_max, k_d, m_glc, y_lac,
                  q_mab, rate)
    )  # fmt: skip


def by_ivp(rhs: Callable[..., object], rtol: float, constants: np.ndarray) -> np.ndarray:
    """Solve one member by solve_ivp, feed rate by feed rate; return the states at their ends."""
    y, found = case.START, []
    for start, end, rate in zip(case.STARTS_H, case.STARTS_H[1:], case.RATES, strict=False):
        done = solve_ivp(
            rhs, (start, end), y, method="LSODA", rtol=rtol, atol=rtol * 1e-2,
            args=(*constants, rate),
        )  # fmt: skip
        y = done.y[:, -1]
        found.append(y)
    return np.array(found)


def by_odeint(rhs: Callable[..., object], rtol: float, constants: np.ndarray) -> np.ndarray:
    """Solve one member by odeint, the older driver of the same LSODA, which is quicker."""
    y, found = case.START, []
    for start, end, rate in zip(case.STARTS_H, case.STARTS_H[1:], case.RATES, strict=False):
        y = odeint(
            rhs, y, (start, end), args=(*constants, rate), tfirst=True, rtol=rtol,
            atol=rtol * 1e-2, mxstep=5000,
        )[-1]  # fmt: skip
        found.append(y)
    return np.array(found)


def ours(constants: np.ndarray, *, steps_an_hour: int, with_error: bool) -> np.ndarray:
    """Run all members; with the error, both paths as the product does, and return the finer."""
    members = constants.shape[0]
    state = np.repeat(case.START[:, None], members, axis=1)
    columns = Coefficients(*np.ascontiguousarray(constants.T))
    solution, found = integrate.begin(state), []
    rows = np.empty((6, members))
    rows[:5] = constants.T
    for start, end, rate in zip(case.STARTS_H, case.STARTS_H[1:], case.RATES, strict=False):
        hours = end - start
        if with_error:
            solution = kernel.advance(
                solution, columns, Feed(rate, case.GLC_IN, case.GLN_IN), duration_h=hours,
                steps=int(hours) * steps_an_hour,
            )  # fmt: skip
            found.append(solution.fine.T)
        else:
            rows[5] = rate
            steps = 2 * int(hours) * steps_an_hour
            state = kernel.rk4(state, rows, case.GLC_IN, case.GLN_IN, hours / steps, steps)
            found.append(state.T)
    if with_error:
        integrate.require(
            integrate.error(solution, scale=case.SCALE[:, None]), tolerance=estimation.TOLERANCE
        )
    return np.array(found).transpose(1, 0, 2)


def rows() -> list[Row]:
    """Measure at two step widths: a wide one, and the product's beside a batch."""
    return [*_beside(1), *_beside(STEPS_AN_HOUR)]


def _beside(steps_an_hour: int) -> list[Row]:
    """Measure in turns; each LSODA runs at the loosest tolerance that is as exact as ours."""
    named = f"cho_{steps_an_hour}_step_"
    constants = case.ensemble(MEMBERS)
    few = constants[:PROBED]
    exact = np.array([by_odeint(_rhs_array, 1e-10, one) for one in few])
    ours_all = partial(ours, constants, steps_an_hour=steps_an_hour, with_error=True)
    error = case.error(ours_all()[:PROBED], exact)
    kinds: dict[str, tuple[Callable[[], object], int]] = {
        "kernel_with_its_error": (ours_all, MEMBERS),
        "kernel_alone": (
            partial(ours, constants, steps_an_hour=steps_an_hour, with_error=False), MEMBERS,
        ),
    }  # fmt: skip
    found = [Row(f"{named}kernel_error", error, "1")]
    for name, solve, rhs in (
        ("lsoda_solve_ivp_python", by_ivp, case.rhs),
        ("lsoda_odeint_python", by_odeint, case.rhs),
        ("lsoda_solve_ivp_numba", by_ivp, _rhs_array),
        ("lsoda_odeint_numba", by_odeint, _rhs_array),
    ):
        rtol, theirs = _as_exact(solve, rhs, few, exact, error)
        found += [Row(f"{named}{name}_rtol", rtol, "1"), Row(f"{named}{name}_error", theirs, "1")]
        kinds[name] = (partial(_each, solve, rhs, rtol, few), PROBED)
    costs = _costs(kinds)
    for name in kinds:
        rate = 1.0 / statistics.median(costs[name])
        ratios = [b / c for b, c in zip(costs[name], costs["kernel_with_its_error"], strict=True)]
        is_ours = name.startswith("kernel")
        found.append(
            Row(
                f"{named}{name}", rate, "runs/CPU-s",
                None if is_ours else 1.0 / statistics.median(costs["kernel_with_its_error"]),
                None if is_ours else statistics.median(ratios),
                None if is_ours else (min(ratios), max(ratios)),
            )
        )  # fmt: skip
    return found


def _as_exact(
    solve: Callable[..., np.ndarray], rhs: Callable[..., object], few: np.ndarray,
    exact: np.ndarray, wanted: float,
) -> tuple[float, float]:  # fmt: skip
    for rtol in TOLERANCES:
        error = case.error(np.array([solve(rhs, rtol, one) for one in few]), exact)
        if error <= wanted:
            break
    return rtol, error


def _each(
    solve: Callable[..., np.ndarray], rhs: Callable[..., object], rtol: float, few: np.ndarray
) -> None:
    for one in few:
        solve(rhs, rtol, one)


def _costs(kinds: dict[str, tuple[Callable[[], object], int]]) -> dict[str, list[float]]:
    costs: dict[str, list[float]] = {name: [] for name in kinds}
    for _ in range(ROUNDS):
        for name, (run, count) in kinds.items():
            before = time.process_time()
            run()
            costs[name].append((time.process_time() - before) / count)
    return costs


def peer_rows() -> list[Row]:
    """Measure jax and numbalsoda in their own Python, and ours again right after each."""
    python = os.environ.get("BENCH_PEERS_PYTHON")
    if not python:
        print("no peers: BENCH_PEERS_PYTHON names no Python that has jax or numbalsoda")
        return []
    constants = case.ensemble(MEMBERS)
    exact = np.array([by_odeint(_rhs_array, 1e-10, one) for one in constants[:PROBED]])
    wanted = case.error(
        ours(constants[:PROBED], steps_an_hour=STEPS_AN_HOUR, with_error=True), exact
    )
    done = subprocess.run(
        [python, "-m", "tests.bench.twins_peers", str(MEMBERS), str(PROBED), repr(wanted),
         str(2 * STEPS_AN_HOUR)],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, text=True, stdout=subprocess.PIPE,
        stderr=sys.stderr, check=False,
    )  # fmt: skip
    found: list[Row] = []
    for said in (json.loads(line) for line in done.stdout.splitlines()):
        if "missing" in said:
            print(f"{said['name']}: {said['missing']}")
            continue
        own = {}
        for name, with_error in (("with_its_error", True), ("alone", False)):
            before = time.process_time()
            for _ in range(3):
                ours(constants, steps_an_hour=STEPS_AN_HOUR, with_error=with_error)
            own[name] = 3 * MEMBERS / (time.process_time() - before)
        error = case.error(np.array(said["states"]), exact)
        found.append(Row(f"cho_{said['name']}_error", error, "1"))
        for name, rate in own.items():
            found.append(
                Row(f"cho_{said['name']}_beside_kernel_{name}", said["rate"], "runs/CPU-s", rate,
                    rate / said["rate"])
            )  # fmt: skip
    return found
