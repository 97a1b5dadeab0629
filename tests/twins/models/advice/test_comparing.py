"""What was proposed is held against what was done, and what was foretold against what came."""

import pytest

from twins.models.advice import comparing
from twins.models.advice.comparing import Compared, Foretold
from twins.models.crossing import Side
from twins.models.declarations import Limit
from twins.models.forecasts import Trajectory
from twins.models.requests import FeedStep, Observation

SIDE = Side(Limit("glucose_mmol_l", 11.0, None, "mmol/L", "CPP"), "low", 11.0)
HOURS = tuple(float(hour) for hour in range(100, 111))


def _future(rate: float, middle: float) -> Foretold:
    path = tuple([middle] * len(HOURS))
    low, high = (tuple(value + by for value in path) for by in (-1.0, 1.0))
    return Foretold(
        [FeedStep(100.0, 0.3), FeedStep(102.0, rate)],
        Trajectory("glucose_mmol_l", "mmol/L", HOURS, low, path, high),
    )


AS_IS, MOVED = _future(0.3, 10.5), _future(0.5, 14.0)


def _compared(
    *, rate: float | None, value: float | None, moved: Foretold | None = MOVED
) -> Compared:
    def seen(tag: str, number: float, before: float) -> list[Observation]:
        return [
            Observation(tag, at_h, number if at_h > 102.0 else before, at_h)
            for at_h in (100.0 + quarter / 4.0 for quarter in range(41))
        ]

    return comparing.compare(
        SIDE,
        as_is=AS_IS,
        moved=moved,
        fed=[] if rate is None else seen("feed", rate, 0.3),
        measured=[] if value is None else seen("glucose_mmol_l", value, 13.5),
        until_h=110.0,
    )


@pytest.mark.parametrize(
    ("rate", "followed"),
    [(0.5, "followed"), (0.47, "followed"), (0.4, "partly"), (0.3, "not-followed")],
)
def test_a_feed_follows_what_it_is_near_to(rate: float, followed: str) -> None:
    found = _compared(rate=rate, value=13.5)

    assert found.followed == followed
    assert found.from_move == pytest.approx(0.8 * abs(0.5 - rate))
    assert found.from_recipe == pytest.approx(0.8 * abs(0.3 - rate))
    assert len(found.done) == 10


def test_what_came_is_counted_in_the_interval_of_either_future() -> None:
    held, broken = _compared(rate=0.5, value=13.5), _compared(rate=0.3, value=10.5)

    assert (held.is_crossed, held.crossed_h) == (False, None)
    assert (held.inside_as_is, held.inside_moved) == (0, 10)
    assert (broken.is_crossed, broken.crossed_h) == (True, 103.0)
    assert (broken.inside_as_is, broken.inside_moved) == (8, 2)


def test_without_a_reading_nobody_knows() -> None:
    found = _compared(rate=None, value=None)

    assert (found.followed, found.is_crossed, found.from_move) == (None, None, None)
    assert found.hours_measured == found.inside_as_is == 0


def test_where_no_move_was_proposed_none_was_followed() -> None:
    found = _compared(rate=0.3, value=13.5, moved=None)

    assert (found.followed, found.from_move, found.inside_moved) == (None, None, None)
    assert found.from_recipe == pytest.approx(0.0)
