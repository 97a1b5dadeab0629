"""A batch of the penicillin model under a recipe like the source's, made by the model itself."""

import numpy as np
import pytest

from twins.models.penicillin_fed_batch import layout as at
from twins.models.penicillin_fed_batch import measuring, simulation
from twins.models.requests import Observation

HOURS = 60.0
SAMPLE_H = 0.2


@pytest.fixture(scope="session")
def recipe() -> np.ndarray:
    times = np.arange(1, round(HOURS / SAMPLE_H) + 1) * SAMPLE_H
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


@pytest.fixture(scope="session")
def nominal(recipe: np.ndarray) -> simulation.Run:
    ends = np.arange(1, len(recipe) + 1) * SAMPLE_H
    return simulation.simulate(simulation.inoculated(), recipe, ends_h=ends)


@pytest.fixture(scope="session")
def measured(recipe: np.ndarray, nominal: simulation.Run) -> dict[str, np.ndarray]:
    generator = np.random.Generator(np.random.PCG64(7))
    clean = nominal.states[1:] @ measuring.SEES.T
    noise = measuring.NOISE[:, 0] + measuring.NOISE[:, 1] * np.abs(clean)
    values = clean + noise * generator.standard_normal(clean.shape)
    batch = {tag: recipe[:, place].copy() for place, tag in enumerate(measuring.INPUT_TAGS)}
    online = len(measuring.ONLINE)
    for place, tag in enumerate(measuring.TAGS):
        batch[tag] = values[:, place].copy()
        if place >= online:
            batch[tag][:] = np.nan
            for sampled in range(59, len(recipe) - 20, 60):
                batch[tag][sampled + 20] = values[sampled, place]
    return batch


@pytest.fixture(scope="session")
def observations(measured: dict[str, np.ndarray]) -> list[Observation]:
    found = []
    for tag, column in measured.items():
        delay = 20 if tag.startswith("lab_") else 0
        for row in np.flatnonzero(~np.isnan(column)):
            at_h, reported_h = (row + 1 - delay) * SAMPLE_H, (row + 1) * SAMPLE_H
            found.append(Observation(tag, at_h, float(column[row]), reported_h))
    return found
