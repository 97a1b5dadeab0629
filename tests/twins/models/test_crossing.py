"""A crossing has a first time, a side and a window, and a probability that stays honest."""

import math

import numpy as np
import pytest

from twins.models import crossing
from twins.models.declarations import Limit

ENDS_H = (10.0, 11.0, 12.0, 13.0)
PATHS = np.array(
    [
        [9.0, 7.0, 4.0, 3.0],  # below 5 after 1 + 2/3 hours
        [9.0, 8.0, 7.0, 6.0],  # never
        [4.0, 6.0, 7.0, 4.0],  # already below
        [9.0, 5.0, 5.0, 5.0],  # touches, does not cross
    ]
)


def limit(
    low: float | None = 5.0,
    high: float | None = None,
    applies_from_h: float = 0.0,
    applies_until_h: float | None = None,
) -> Limit:
    return Limit("glucose_mmol_l", low, high, "mmol/L", "CPP", applies_from_h, applies_until_h)


def test_the_first_crossing_is_found_between_two_moments() -> None:
    (side,) = crossing.sides([limit()])

    hours = crossing.first_crossings(side, PATHS, ENDS_H)

    assert hours.tolist() == pytest.approx([5.0 / 3.0, math.inf, 0.0, math.inf])


def test_a_high_limit_mirrors_a_low_one() -> None:
    (side,) = crossing.sides([limit(low=None, high=-5.0)])

    hours = crossing.first_crossings(side, -PATHS, ENDS_H)

    assert hours.tolist() == pytest.approx([5.0 / 3.0, math.inf, 0.0, math.inf])


def test_a_crossing_outside_the_window_of_the_limit_does_not_count() -> None:
    (late,) = crossing.sides([limit(applies_from_h=13.0)])
    (early,) = crossing.sides([limit(applies_from_h=10.5, applies_until_h=11.5)])

    assert crossing.first_crossings(late, PATHS, ENDS_H).tolist() == [3.0, math.inf, 3.0, math.inf]
    assert crossing.first_crossings(early, PATHS, ENDS_H).tolist() == [math.inf] * 4
    assert late.applies_between(10.0, 13.0)
    assert not late.applies_between(10.0, 12.0)
    assert not early.applies_between(12.0, 13.0)


def test_both_sides_of_a_limit_are_forecast() -> None:
    found = crossing.sides([limit(low=5.0, high=9.0), limit(low=None, high=None)])

    assert [(side.side, side.bound) for side in found] == [("low", 5.0), ("high", 9.0)]


@pytest.mark.parametrize("crossing_members", range(65))
def test_no_number_of_members_makes_a_certainty(crossing_members: int) -> None:
    hours = np.array([1.0] * crossing_members + [np.inf] * (64 - crossing_members))

    share = crossing.probability(hours)

    assert share == pytest.approx((crossing_members + 0.5) / 65.0)
    assert math.isfinite(crossing.log_odds(share))


def test_the_lead_time_counts_only_members_that_cross() -> None:
    assert crossing.lead_times(np.array([2.0, np.inf, 4.0])) == pytest.approx((2.2, 3.0, 3.8))
    assert crossing.lead_times(np.array([np.inf, np.inf])) is None
