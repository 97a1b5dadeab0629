"""A stated probability is what happens that often."""

import numpy as np
import pytest

from twins.models.batch_monitoring import calibration


def test_the_isotonic_curve_rises_and_keeps_the_mean() -> None:
    generator = np.random.default_rng(4)
    raw = generator.random(2000)
    y = (generator.random(2000) < raw**2).astype(np.float64)

    knots, values = calibration.fit_isotonic(raw, y, np.ones(2000))

    assert (np.diff(knots) > 0).all()
    assert (np.diff(values) > 0).all()
    assert np.interp(0.9, knots, values) == pytest.approx(0.81, abs=0.08)


def test_the_logistic_fit_finds_the_coefficients_that_made_the_data() -> None:
    generator = np.random.default_rng(5)
    x = np.column_stack([generator.standard_normal(20000), np.ones(20000)])
    p = 1.0 / (1.0 + np.exp(-(1.5 * x[:, 0] - 1.0)))
    y = (generator.random(20000) < p).astype(np.float64)

    found = calibration.fit_logistic(x, y, np.ones(20000), shrink=1e-6)

    assert found == pytest.approx([1.5, -1.0], abs=0.08)


def test_the_calibration_error_is_the_mean_distance_by_hand() -> None:
    p = np.array([0.05, 0.05, 0.95, 0.95])
    y = np.array([0.0, 1.0, 1.0, 1.0])

    found = calibration.expected_calibration_error(p, y, np.ones(4))

    assert found == pytest.approx((0.45 + 0.05) / 2)
