"""A batch of the penicillin model under a recipe like the source's, made by the model itself."""

import numpy as np
import pytest

from twins.models.penicillin_fed_batch import cross_check, measuring, simulation
from twins.models.requests import Observation

SAMPLE_H = 0.2


@pytest.fixture(scope="session")
def recipe() -> np.ndarray:
    return cross_check.reference_inputs()


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
