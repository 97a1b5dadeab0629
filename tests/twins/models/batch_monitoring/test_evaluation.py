"""Shares carry their exact interval."""

import pytest

from twins.models.batch_monitoring import evaluation


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    # Clopper and Pearson 1934; the closed forms at the ends, the rest by the F distribution.
    [
        (0, 10, 0.0, 1 - 0.025**0.1),
        (10, 10, 0.025**0.1, 1.0),
        (5, 10, 0.18709, 0.81291),
        (1, 20, 0.00127, 0.24873),
    ],
)
def test_the_interval_of_a_share_is_that_of_clopper_and_pearson(
    hits: int, of: int, low: float, high: float
) -> None:
    found = evaluation.interval(hits, of)

    assert found == pytest.approx((low, high), abs=1e-5)
