"""The balances that the search differentiates are the balances that judge."""

import numpy as np
import pytest

from twins.models import integrate
from twins.models.advice import symbolic
from twins.models.cho_fed_batch import equations, measuring, members
from twins.models.cho_fed_batch.equations import Feed
from twins.models.cho_fed_batch.members import STATES
from twins.models.integrate import Derivative


def _rows(count: int) -> np.ndarray:
    generator = np.random.Generator(np.random.PCG64(5))
    states = np.array([[12.0], [1.0], [20.0], [1.0], [30.0], [4.0], [1.5], [180.0]])
    uncertain = np.array([[1.0], [1.0], [1.0], [0.5], [1.0], [0.6], [0.0]])
    rows = np.concatenate([states, uncertain]) * generator.uniform(0.2, 1.8, size=(15, count))
    rows[2, :2] = 0.0  # starved of glucose
    return rows


def _slope(rows: np.ndarray) -> Derivative:
    """Return the twin's own balances under 0.4 l/h of a feed with 600 and 60 mmol/l."""
    feed = Feed(0.4 * rows[measuring.PUMP], 600.0, 60.0)
    return equations.derivative(members.coefficients(rows), feed)


def test_every_slope_is_the_same() -> None:
    rows = _rows(40)

    slopes = _slope(rows)(rows[:STATES])

    for member in range(rows.shape[1]):
        found = symbolic.rates(list(rows[:, member]), 0.4, 600.0, 60.0)
        assert np.array(found).ravel() == pytest.approx(slopes[:, member], rel=1e-12, abs=1e-15)


def test_an_hour_ends_where_the_integrator_ends() -> None:
    rows = _rows(3)[:, 2:]

    wanted = integrate.rk4(
        _slope(rows), rows[:STATES], duration_h=1.0, steps=symbolic.STEPS_AN_HOUR
    )
    found = symbolic.hour(600.0, 60.0)(rows[:STATES, 0], rows[STATES:, 0], 0.4, 1.0)

    assert np.array(found).ravel() == pytest.approx(wanted[:, 0], rel=1e-12)


def test_every_value_with_a_limit_is_seen_the_same() -> None:
    rows = _rows(6)[:STATES]

    assert set(symbolic.PROCESS_VALUES) == set(measuring.PROCESS_VALUES)
    for tag, value in symbolic.PROCESS_VALUES.items():
        assert value(rows) == pytest.approx(measuring.PROCESS_VALUES[tag](rows), rel=1e-9)
