"""The feed of an interval carries the mass of the profile."""

import pytest

from twins.models import feeding
from twins.models.requests import FeedStep

PROFILE = (FeedStep(0.0, 0.0), FeedStep(2.25, 4.0), FeedStep(2.5, 0.0), FeedStep(4.0, 0.3))


@pytest.mark.parametrize(
    ("start_h", "end_h", "litres"),
    [(0.0, 2.0, 0.0), (2.0, 3.0, 1.0), (2.3, 2.4, 0.4), (3.5, 6.0, 0.6), (0.0, 10.0, 2.8)],
)
def test_the_mean_rate_gives_the_volume_of_steps_and_bolus(
    start_h: float, end_h: float, litres: float
) -> None:
    rate = feeding.mean_rate(PROFILE, start_h=start_h, end_h=end_h)

    assert rate * (end_h - start_h) == pytest.approx(litres, abs=1e-12)


def test_without_a_profile_nothing_is_fed() -> None:
    assert feeding.mean_rate((), start_h=0.0, end_h=1.0) == 0.0


def test_a_rate_that_was_read_counts_before_the_recipe() -> None:
    assert feeding.commanded(PROFILE, {5.0: 0.25}, start_h=4.0, end_h=5.0) == 0.25
    assert feeding.commanded(PROFILE, {6.0: 0.25}, start_h=4.0, end_h=5.0) == pytest.approx(0.3)
