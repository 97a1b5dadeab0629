"""The same case with jax and numbalsoda; run by their own Python, which has nothing of the product.

`python -m tests.bench.twins_peers MEMBERS PROBED ERROR STEPS_AN_HOUR` prints a JSON line each: runs a
second of CPU, and the states of the first members for the comparison of errors.
"""

import json
import os
import sys
import time

# One thread: what is compared is CPU time.
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import numpy as np

from tests.bench import twins_cho_case as case

ROUNDS = 5


def _say(name: str, **said: object) -> None:
    print(json.dumps({"name": name, **said}), flush=True)


def _rate(run, count: int) -> float:
    run()
    costs = []
    for _ in range(ROUNDS):
        before = time.process_time()
        run()
        costs.append(time.process_time() - before)
    return count / sorted(costs)[ROUNDS // 2]


def jax_rk4(members: int, probed: int, steps_an_hour: int) -> None:
    """Runge-Kutta of fourth order over all members at once, in doubles, compiled by XLA."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})

    def one(constants):
        def rates(y, rate):
            return jnp.stack(case.rhs(0.0, y, *constants, rate))

        def of_feed(y, said):
            rate, count, step_h = said

            def step(_, y):
                k1 = rates(y, rate)
                k2 = rates(y + 0.5 * step_h * k1, rate)
                k3 = rates(y + 0.5 * step_h * k2, rate)
                k4 = rates(y + step_h * k3, rate)
                return y + step_h / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)

            y = jax.lax.fori_loop(0, count, step, y)
            return y, y

        hours = np.diff(case.STARTS_H)
        counts = (hours * steps_an_hour).astype(int)
        said = (jnp.array(case.RATES), jnp.array(counts), jnp.array(hours / counts))
        return jax.lax.scan(of_feed, jnp.array(case.START), said)[1]

    run = jax.jit(jax.vmap(one))
    constants = jnp.array(case.ensemble(members))
    states = np.asarray(run(constants))
    rate = _rate(lambda: run(constants).block_until_ready(), members)
    _say("jax_rk4", rate=rate, states=states[:probed].tolist())


def by_numbalsoda(members: int, probed: int, wanted: float) -> None:
    """LSODA in compiled code, at the loosest tolerance that is as exact."""
    import numba
    from numbalsoda import lsoda, lsoda_sig

    rhs = numba.njit(case.rhs)

    @numba.cfunc(lsoda_sig)
    def balance(t, u, du, p):
        y = (u[0], u[1], u[2], u[3], u[4], u[5], u[6], u[7])
        found = rhs(t, y, p[0], p[1], p[2], p[3], p[4], p[5])
        for row in range(8):
            du[row] = found[row]

    address = balance.address
    starts, rates = np.array(case.STARTS_H), np.array(case.RATES)
    begin = case.START

    @numba.njit
    def run(constants, rtol):
        out = np.empty((constants.shape[0], rates.size, 8))
        p = np.empty(6)
        for member in range(constants.shape[0]):
            y = begin.copy()
            p[:5] = constants[member]
            for part in range(rates.size):
                p[5] = rates[part]
                times = starts[part : part + 2].copy()
                solved, _ = lsoda(address, y, times, p, rtol, rtol * 1e-2)
                y = solved[-1].copy()
                out[member, part] = y
        return out

    constants = case.ensemble(members)
    exact = run(constants[:probed], 1e-12)
    for rtol in [10.0 ** (-half / 2) for half in range(6, 22)]:
        states = run(constants[:probed], rtol)
        if case.error(states, exact) <= wanted:
            break
    rate = _rate(lambda: run(constants, rtol), members)
    _say("numbalsoda", rate=rate, rtol=rtol, states=states.tolist())


def main() -> int:
    members, probed, steps = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[4])
    for name, run in (
        ("numbalsoda", lambda: by_numbalsoda(members, probed, float(sys.argv[3]))),
        ("jax_rk4", lambda: jax_rk4(members, probed, steps)),
    ):
        try:
            run()
        except ImportError as error:
            _say(name, missing=str(error))
    return 0


if __name__ == "__main__":
    sys.exit(main())
