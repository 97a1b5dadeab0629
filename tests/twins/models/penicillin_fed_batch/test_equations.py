"""The penicillin fed-batch is the published one, its balances close and its solvers agree."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.twins.models.penicillin_fed_batch import reference
from twins.models import integrate
from twins.models.penicillin_fed_batch import (
    cross_check,
    equations,
    integration,
    parameters,
    self_checks,
    simulation,
)
from twins.models.penicillin_fed_batch import layout as at
from twins.models.penicillin_fed_batch.declared import DECLARATION


def test_the_declaration_names_every_state_input_and_constant() -> None:
    assert len(DECLARATION.states) == at.STATES == 33
    assert len(DECLARATION.parameters) == 105
    assert len(DECLARATION.inputs) == at.INPUTS
    assert all(one.source for one in DECLARATION.parameters)
    assert all(one.low <= one.value <= one.high for one in DECLARATION.parameters)
    assert [getattr(parameters, one.name.upper()) for one in DECLARATION.parameters] == [
        *range(105)
    ]


def test_a_run_carries_an_error_and_passes_its_balances(
    nominal: simulation.Run, recipe: np.ndarray
) -> None:
    self_checks.require(nominal, recipe)

    assert 0.0 < nominal.error < integration.TOLERANCE
    assert nominal.states[-1, at.P] > 2.0


def test_a_run_whose_volume_came_from_nowhere_fails_its_checks(
    nominal: simulation.Run, recipe: np.ndarray
) -> None:
    wrong = nominal.states.copy()
    wrong[-1, at.V] += 500.0

    with pytest.raises(self_checks.SelfCheckFailed, match="volume"):
        self_checks.require(simulation.Run(nominal.ends_h, wrong, nominal.error), recipe)


def test_too_large_steps_are_a_failed_run_although_their_numbers_look_well(
    recipe: np.ndarray,
) -> None:
    ends = np.arange(1, len(recipe) + 1) * 0.2

    with pytest.raises(integrate.IntegrationInaccurate):
        simulation.simulate(simulation.inoculated(), recipe, ends_h=ends, steps_an_hour=40)


def test_a_second_solver_agrees(nominal: simulation.Run, recipe: np.ndarray) -> None:
    chosen = slice(95, 125)  # sugar runs out and dissolved oxygen jumps in between

    other = cross_check.states(
        nominal.states[95],
        recipe[chosen],
        ends_h=nominal.ends_h[96:126],
        start_h=nominal.ends_h[95],
    )

    assert cross_check.difference(nominal.states[96:126], other) < 1e-4


def test_the_bits_of_a_run_are_those_of_another_process_with_other_threads(tmp_path: Path) -> None:
    program = (
        "import numpy as np\n"
        "from twins.models.penicillin_fed_batch import simulation, layout as at\n"
        "u = np.tile([60., 100, 5, 40, 0, 30, 60, 30, 0, 0, .9, 0, 0], (50, 1))\n"
        "r = simulation.simulate(simulation.inoculated(), u, ends_h=np.arange(1, 51) * .2)\n"
        "print(r.states.tobytes().hex())"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", program], check=True, capture_output=True, text=True,
            cwd=Path(__file__).parents[4],
            env={"OMP_NUM_THREADS": threads, "NUMBA_NUM_THREADS": threads, "PATH": "/usr/bin:/bin"},
        ).stdout
        for threads in ("1", "2")
    }  # fmt: skip

    assert len(found) == 1


@pytest.mark.shared
def test_the_source_s_own_batches_are_followed_without_correction(shared: Path) -> None:
    chosen = [
        one for one in reference.batches(shared / "data" / "indpensim") if one.seed in (42, 208)
    ]
    found = [(batch, *reference.compare(batch)) for batch in chosen]

    rows = {str(row["state"]): row for row in reference.table(found)}

    for name, row in rows.items():
        print(name, row)
    assert all(float(row["step_p95"]) < 0.02 for row in rows.values())
    free = {name: float(row["within"]) for name, row in rows.items() if not row["driven"]}
    assert len(free) == 25
    # Three that a constant of the batch or a disturbance which is not recorded moves as a whole.
    loose = [free.pop(name) for name in ("DO2", "NH3", "a0")]
    assert min(loose) > 0.4
    assert min(free.values()) > 0.8
    assert sum(share > 0.95 for share in free.values()) >= 19
    assert max(error for *_, error in found) < 1e-3


def test_the_scale_of_errors_has_an_entry_a_state() -> None:
    assert equations.SCALE.shape == (at.STATES,)
    assert np.all(equations.SCALE > 0.0)
