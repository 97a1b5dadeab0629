"""A batch of the penicillin model under a recipe like the source's, made by the model itself."""

import numpy as np
import pytest

from tests.twins.models.penicillin_fed_batch import made_batch
from twins.models.penicillin_fed_batch import simulation
from twins.models.requests import Observation


@pytest.fixture(scope="session")
def recipe() -> np.ndarray:
    return made_batch.inputs()


@pytest.fixture(scope="session")
def nominal() -> simulation.Run:
    return made_batch.run()


@pytest.fixture(scope="session")
def measured() -> dict[str, np.ndarray]:
    return made_batch.measured()


@pytest.fixture(scope="session")
def observations(measured: dict[str, np.ndarray]) -> list[Observation]:
    found = []
    for tag, column in measured.items():
        delay = made_batch.DELAY if tag.startswith("lab_") else 0
        for row in np.flatnonzero(~np.isnan(column)):
            at_h = (row + 1 - delay) * made_batch.SAMPLE_H
            reported_h = (row + 1) * made_batch.SAMPLE_H
            found.append(Observation(tag, at_h, float(column[row]), reported_h))
    return found
