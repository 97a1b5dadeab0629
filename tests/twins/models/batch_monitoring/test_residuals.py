"""A regression of one phase keeps what all phases know, where its own batches never moved."""

import numpy as np
import pytest

from twins.models.batch_monitoring import residuals
from twins.models.batch_monitoring.design import COLUMN, NAMES

RELATION = next(one for one in residuals.relations() if one.name == "next Wt")


def _products(slope: float, moves: float, seed: int) -> tuple[np.ndarray, float]:
    """Return the summed products of made-up columns in which weight follows the discharge."""
    generator = np.random.default_rng(seed)
    x = generator.standard_normal((4000, len(NAMES)))
    x[:, COLUMN["one"]] = 1.0
    x[:, COLUMN["now Fremoved"]] *= moves
    noise = 0.01 * generator.standard_normal(len(x))
    x[:, COLUMN[RELATION.target]] = slope * x[:, COLUMN["now Fremoved"]] + noise
    return x.T @ x, float(len(x))


def _slope(found: np.ndarray, phase: int) -> float:
    return float(found[phase, RELATION.regressors.index("now Fremoved")])


def test_a_phase_without_a_discharge_keeps_the_effect_of_the_other_phases() -> None:
    gram = np.zeros((residuals.PHASES, len(NAMES), len(NAMES)))
    counts = np.zeros(residuals.PHASES)
    for phase in range(residuals.PHASES):
        gram[phase], counts[phase] = _products(0.2, 0.0 if phase == 4 else 1.0, phase)

    found = residuals.fit(RELATION, gram, counts)

    assert _slope(found, 4) == pytest.approx(0.2, abs=0.002)


def test_a_phase_with_an_effect_of_its_own_keeps_it() -> None:
    gram = np.zeros((residuals.PHASES, len(NAMES), len(NAMES)))
    counts = np.zeros(residuals.PHASES)
    for phase in range(residuals.PHASES):
        gram[phase], counts[phase] = _products(0.5 if phase == 4 else 0.2, 1.0, phase)

    found = residuals.fit(RELATION, gram, counts)

    assert _slope(found, 4) == pytest.approx(0.5, abs=0.002)
    assert _slope(found, 5) == pytest.approx(0.2, abs=0.002)
