"""A loop that holds is expected to hold, one that runs away is noticed."""

import numpy as np
import pytest

from twins.models import control_loops
from twins.models.cho_fed_batch.declared import LOOPS
from twins.models.observing import Seen

TEMPERATURE = LOOPS[0]
ENDS_H = tuple(40.0 + hour for hour in range(25))


def means(values: list[float]) -> list[Seen]:
    return [Seen("temperature_c", hour + 0.5, value, 6) for hour, value in enumerate(values)]


def test_a_loop_at_its_set_point_stays_there() -> None:
    loop = control_loops.follow(TEMPERATURE, means([36.8] * 40))

    assert loop is not None
    paths = control_loops.project(loop, ENDS_H, seed=1, order=0, members=64)["estimated"]
    assert paths.shape == (64, 25)
    assert np.all(np.abs(paths - 36.8) < 0.4)


def test_a_ramp_is_carried_on_and_fades() -> None:
    ramp = [36.8] * 35 + [36.8 + 0.1 * hour for hour in range(1, 6)]
    loop = control_loops.follow(TEMPERATURE, means(ramp))

    assert loop is not None
    paths = control_loops.project(loop, ENDS_H, seed=1, order=0, members=64)
    middle = np.median(paths["estimated"], axis=0)
    assert middle[6] > 37.35
    assert middle[24] - middle[18] < middle[6] - middle[0]


def test_taking_level_and_trend_back_gives_the_usual_level() -> None:
    ramp = [36.8] * 35 + [36.8 + 0.1 * hour for hour in range(1, 6)]
    loop = control_loops.follow(TEMPERATURE, means(ramp))

    assert loop is not None
    paths = control_loops.project(loop, ENDS_H, seed=1, order=0, members=64)
    assert np.mean(paths["nominal"]) == pytest.approx(36.8, abs=0.01)
    whole = paths["estimated"] - paths["nominal"]
    parts = (paths["estimated"] - paths["without-level"]) + (
        paths["estimated"] - paths["without-trend"]
    )
    np.testing.assert_allclose(whole, parts, atol=1e-12)


def test_a_handful_of_means_is_not_enough() -> None:
    assert control_loops.follow(TEMPERATURE, means([36.8] * 5)) is None
