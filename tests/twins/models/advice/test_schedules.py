"""A move in whole settings of the pump keeps its range and its largest step, wherever it came from."""

import itertools
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from twins.models.advice import schedules
from twins.models.advice.questions import AdviceRequest, MoveRange
from twins.models.requests import FeedStep, ForecastRequest
from twins.plant import demo_recipe

Question = Callable[..., AdviceRequest]


def _asked(
    *, high: float = 0.9, feed: tuple[FeedStep, ...] = demo_recipe.RECIPE_FEED
) -> AdviceRequest:
    forecast = ForecastRequest(
        as_of_h=138.0, horizon_h=48.0, seed=7, initial=demo_recipe.RECIPE_INITIAL, feed=feed,
        feed_glucose_mmol_l=600.0, feed_glutamine_mmol_l=60.0, observations=(), limits=(),
    )  # fmt: skip
    return AdviceRequest(
        forecast, "glucose_mmol_l", "low", 0.1, 2, MoveRange(0.0, high, 0.15, 0.01, 6, "a test")
    )


@examples(deadline=None, max_examples=60)
@given(
    wanted=st.lists(st.floats(-1.0, 1.0), min_size=8, max_size=8), start=st.integers(0, 47),
    high=st.floats(0.4, 0.9),
)  # fmt: skip
def test_rounding_keeps_the_range_and_the_step(
    wanted: list[float], start: int, high: float
) -> None:
    schedule = schedules.of(_asked(high=high), start=start)

    found = schedule.rounded(wanted[: len(schedule.blocks)])

    assert all(abs(b - a) <= 15 for a, b in itertools.pairwise((0, *found)))
    assert all(-1e-9 <= rate <= high + 1e-9 for rate in schedule.rates(found))
    assert schedule.rates(found)[:start] == schedule.recipe[:start]


def test_what_the_twin_declares_of_a_day_bounds_a_range_that_is_wider() -> None:
    schedule = schedules.of(_asked(high=5.0), start=0)

    # 0.15 of 150 L a day
    assert max(schedule.rates(schedule.highest)) <= 0.9375


def test_a_move_says_what_it_adds() -> None:
    schedule = schedules.of(_asked(), start=2)

    move = schedule.move((10, 20, 0, 0, 0, 0, 0, 0))

    assert [(one.start_h, one.end_h, one.l_per_h) for one in move.departures] == [
        (140.0, 146.0, 0.1), (146.0, 152.0, 0.2),
    ]  # fmt: skip
    assert move.added_l == pytest.approx(1.8)
    assert move.feed[:3] == (FeedStep(138.0, 0.28), FeedStep(140.0, 0.38), FeedStep(144.0, 0.42))
