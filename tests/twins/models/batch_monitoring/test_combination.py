"""Channels are brought to one scale and added up to a score that can be taken apart again."""

import numpy as np
import pytest

from twins.models.batch_monitoring import combination


def test_the_parts_of_the_score_add_up_to_it() -> None:
    rare = np.random.default_rng(3).exponential(1.0, (50, 30))
    weight = np.linspace(0.5, 1.0, 30)

    whole = combination.score(rare, weight)

    parts = combination.shares(rare, weight, whole)
    assert np.allclose(parts.sum(axis=1), whole, rtol=1e-12)
    assert (parts >= 0).all()


def test_the_score_is_at_least_its_strongest_channel() -> None:
    rare = np.array([[0.1, 4.0, 0.2]])

    whole = combination.score(rare, np.ones(3))

    assert 4.0 <= whole[0] < 4.01


def test_one_odd_sample_is_no_steady_score() -> None:
    score = np.array([0.0, 9.0, 0.0, 5.0, 6.0, 7.0, 8.0])

    assert combination.steady(score).tolist() == [0.0, 0.0, 0.0, 0.0, 0.0, 5.0, 6.0]


def test_the_limit_is_exceeded_by_the_promised_share_of_further_batches() -> None:
    generator = np.random.default_rng(11)
    above = []
    for _ in range(300):
        limit = combination.limit_of(generator.exponential(1.0, 119), false_alarm_share=0.05)
        above.append(np.exp(-limit))

    assert 0.045 < float(np.mean(above)) < 0.055


@pytest.mark.parametrize("count", [40, 96, 120])
def test_the_fitted_limit_is_exceeded_by_the_promised_share_of_further_batches(count: int) -> None:
    generator = np.random.default_rng(12)
    above = []
    for _ in range(600):
        limit = combination.smooth_limit_of(
            generator.exponential(1.0, count), false_alarm_share=0.05
        )
        above.append(np.exp(-limit))

    assert 0.046 < float(np.mean(above)) < 0.054


def test_how_odd_the_oddest_normal_batches_are_does_not_move_the_fitted_limit() -> None:
    most = np.random.default_rng(13).exponential(1.0, 120)
    odder = most.copy()
    odder[np.argsort(most)[-3:]] *= 10.0

    limits = [combination.smooth_limit_of(one, false_alarm_share=0.04) for one in (most, odder)]

    assert limits[0] == limits[1]
