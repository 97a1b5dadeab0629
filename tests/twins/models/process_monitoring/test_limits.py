"""Limits promise a rate only where there is enough normal data to know it."""

import numpy as np
import pytest

from twins.models.process_monitoring import limits


def test_a_further_value_exceeds_the_conformal_limit_at_the_rate() -> None:
    generator = np.random.default_rng(2)
    above = [1.0 - limits.conformal(generator.random(99), rate=0.05) for _ in range(400)]

    assert float(np.mean(above)) == pytest.approx(0.05, abs=0.004)


def test_both_statistics_together_hold_the_rate() -> None:
    generator = np.random.default_rng(3)
    left_out, further = generator.exponential(1.0, (400, 2)), generator.exponential(1.0, (20000, 2))
    further[:, 1] = left_out[:, 1].mean() * further[:, 1]

    bounds = limits.together(("T2", "SPE"), left_out, rate=0.05)

    assert float((further > bounds.values).any(axis=1).mean()) == pytest.approx(0.05, abs=0.02)


def test_too_little_data_promises_nothing() -> None:
    with pytest.raises(limits.TooFewToPromise, match="99 are needed"):
        limits.conformal(np.arange(98.0), rate=0.01)
    assert limits.conformal(np.arange(99.0), rate=0.01) == 98.0


def test_one_odd_sample_is_no_alarm() -> None:
    found = limits.least_of_last(np.array([9.0, 9.0, 0.0, 9.0, 5.0, 7.0, 0.0]), count=3)

    assert found.tolist() == [0.0, 0.0, 0.0, 0.0, 0.0, 5.0, 0.0]
