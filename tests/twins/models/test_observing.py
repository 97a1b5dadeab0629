"""A twin sees what had happened and had been reported, and nothing else."""

from itertools import permutations

import pytest

from twins.models import observing
from twins.models.requests import Observation


def test_the_grid_ends_at_the_moment_asked_for() -> None:
    assert observing.grid(0.0) == ()
    assert observing.grid(0.25) == (0.25,)
    assert observing.grid(3.0) == (1.0, 2.0, 3.0)
    assert observing.grid(2.5) == (1.0, 2.0, 2.5)


@pytest.mark.parametrize(
    ("at_h", "reported_h", "is_visible"),
    [
        (10.0, 10.0, True),
        (9.0, 10.0, True),
        (9.0, 10.1, False),
        (10.1, 10.1, False),
        (-1.0, 2.0, False),
    ],
)
def test_only_what_was_reported_by_then_is_visible(
    at_h: float, reported_h: float, is_visible: bool
) -> None:
    seen = Observation("glucose_mmol_l", at_h, 20.0, reported_h)

    assert bool(observing.visible([seen], as_of_h=10.0)) is is_visible


def test_an_interval_owns_its_end_and_not_its_beginning() -> None:
    observations = [Observation("ph", at_h, 7.0, at_h) for at_h in (0.0, 0.5, 1.0, 1.01, 2.0)]

    grouped = observing.by_interval(observations, ends_h=(1.0, 2.0))

    assert {end_h: group[0].count for end_h, group in grouped.items()} == {1.0: 3, 2.0: 2}


def test_a_mean_does_not_depend_on_the_order_of_arrival() -> None:
    values = (0.1, 1e9, 0.3, -1e9, 0.7)

    means = {
        observing.by_interval(
            [Observation("ph", 0.5, value, 0.5) for value in order], ends_h=(1.0,)
        )[1.0][0].value
        for order in permutations(values)
    }

    assert len(means) == 1
    assert means.pop() == pytest.approx(1.1 / 5.0)
