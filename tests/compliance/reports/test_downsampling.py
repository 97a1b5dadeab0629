import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.reports import downsampling
from compliance.reports.drawing import Point

VALUES = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=400)


@given(VALUES, st.integers(1, 12))
def test_extremes_and_ends_are_never_lost(values: list[float], buckets: int) -> None:
    points = [(float(x), y) for x, y in enumerate(values)]

    kept = downsampling.min_max(points, buckets=buckets)

    assert kept == sorted(set(kept))
    assert set(kept) <= set(points)
    assert len(kept) <= max(4 * buckets, len(points) if len(points) <= 4 * buckets else 0)
    assert (kept[0], kept[-1]) == (points[0], points[-1])
    assert {min(values), max(values)} <= {y for _, y in kept}


def test_every_stretch_keeps_its_own_lowest_and_highest() -> None:
    points = [(float(x), math.sin(x)) for x in range(1000)]

    kept = {y for _, y in downsampling.min_max(points, buckets=10)}

    for bucket in range(10):
        stretch = [y for x, y in points if 99.9 * bucket <= x < 99.9 * (bucket + 1)]
        assert {min(stretch), max(stretch)} <= kept


def test_a_spike_of_one_point_in_a_hundred_thousand_survives() -> None:
    points = [(float(x), 9.0 if x == 71_234 else 0.0) for x in range(100_000)]

    assert (71_234.0, 9.0) in downsampling.min_max(points, buckets=200)


def test_points_at_one_moment_are_all_kept() -> None:
    points = [(5.0, float(y)) for y in range(100)]

    assert downsampling.min_max(points, buckets=3) == points


def test_no_bucket_is_no_answer() -> None:
    with pytest.raises(ValueError, match="bucket"):
        downsampling.min_max([(0.0, 0.0)], buckets=0)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_no_number_breaks_the_line(bad: float) -> None:
    points: list[Point] = [(0, 1), (1, 2), (2, bad), (3, bad), (4, 5)]

    assert downsampling.segments(points) == [[(0, 1), (1, 2)], [(4, 5)]]


def test_a_leap_over_the_gap_breaks_the_line_and_the_gap_itself_does_not() -> None:
    points: list[Point] = [(0, 1), (2, 1), (4.5, 1)]

    assert downsampling.segments(points, gap=2) == [[(0, 1), (2, 1)], [(4.5, 1)]]
