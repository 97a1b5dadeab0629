"""FMUs that other tools make, with a whole Python in them, run confined and follow our own solver."""

from pathlib import Path

import numpy as np
import pytest

from tests.twins.models.co_simulation import fmus
from twins.models import integrate
from twins.models.co_simulation import processes, simulation
from twins.models.co_simulation.simulation import Inputs

pytestmark = fmus.needs_fmpy

# A bioreactor after Monod: cells grow on a substrate that is fed.
_TWO = """
from pythonfmu import Fmi2Causality, Fmi2Slave, Real

class Monod(Fmi2Slave):
    def __init__(self, **options):
        super().__init__(**options)
        self.feed, self.cells, self.substrate = 0.0, 0.5, 10.0
        self.register_variable(Real("feed", causality=Fmi2Causality.input, start=0.0))
        self.register_variable(Real("cells", causality=Fmi2Causality.output))
        self.register_variable(Real("substrate", causality=Fmi2Causality.output))

    def do_step(self, time, step):
        growth = 0.4 * self.substrate / (0.1 + self.substrate) * self.cells
        self.cells += step * growth
        self.substrate += step * (self.feed - growth / 0.5)
        return True
"""
_THREE = (
    _TWO.replace("pythonfmu import Fmi2Causality, Fmi2Slave, Real", "pythonfmu3 import *")
    .replace("Fmi2", "Fmi3")
    .replace("Real(", "Float64(")
    .replace(
        "        self.register",
        "        self.time = 0.0\n"
        '        self.register_variable(Float64("time", causality=Fmi3Causality.independent))\n'
        "        self.register",
        1,
    )
)


@pytest.mark.parametrize(("exporter", "script"), [("pythonfmu", _TWO), ("pythonfmu3", _THREE)])
@pytest.mark.filterwarnings("ignore")
def test_a_bioreactor_of_another_tool_follows_our_own_solver(
    exporter: str, script: str, tmp_path: Path
) -> None:
    builder = pytest.importorskip(f"{exporter}.builder").FmuBuilder
    source = tmp_path / "monod.py"
    source.write_text(script, encoding="utf-8")
    data = Path(builder.build_FMU(source, dest=tmp_path)).read_bytes()
    hours = np.arange(0.0, 5.0)

    run = simulation.simulate(
        data, processes.describe(data), Inputs(hours, np.ones((5, 1))), step=0.002, tolerance=0.01
    )

    def rates(state: np.ndarray) -> np.ndarray:
        growth = 0.4 * state[1] / (0.1 + state[1]) * state[0]
        return np.stack([growth, 1.0 - growth / 0.5])

    expected = integrate.rk4(rates, np.array([[0.5], [10.0]]), duration_h=4.0, steps=400)[:, 0]
    np.testing.assert_allclose(run.outputs[-1], expected, rtol=2e-3)
    # The FMU steps as Euler did: halving the step halves its error, and says how large it was.
    off = np.max(np.abs(run.outputs[-1] - expected) / np.abs(run.outputs).max(axis=0))
    assert run.error == pytest.approx(off, rel=0.1)
