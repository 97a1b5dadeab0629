from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.reports import scales


@given(st.floats(-1e9, 1e9), st.floats(1e-6, 1e9))
def test_number_ticks_lie_in_the_range_and_read_back_as_their_value(
    low: float, span: float
) -> None:
    if low + span <= low:
        return

    ticks = scales.numbers(low, low + span)

    assert 2 <= len(ticks) <= 13 or span < abs(low) * 1e-9
    assert len({tick.text for tick in ticks}) == len(ticks) or span < abs(low) * 1e-9
    for tick in ticks:
        slack = span * 1e-6 + abs(low) * 1e-9
        assert low - slack <= tick.value <= low + span + slack


@pytest.mark.parametrize(
    ("low", "high", "texts"),
    [
        (0.0, 10.0, ["0", "2", "4", "6", "8", "10"]),
        (6.9, 7.3, ["6.9", "7.0", "7.1", "7.2", "7.3"]),
        (-2.0, 2.0, ["−2", "−1", "0", "1", "2"]),
        (0.0, 20_000.0, ["0", "5\u00a0000", "10\u00a0000", "15\u00a0000", "20\u00a0000"]),
        (0.0, 2e9, ["0", "5e8", "1e9", "1.5e9", "2e9"]),
        (-1e-5, 3e-5, ["−1e−5", "0", "1e−5", "2e−5", "3e−5"]),
    ],
)
def test_ticks_are_round_numbers(low: float, high: float, texts: list[str]) -> None:
    assert [tick.text for tick in scales.numbers(low, high)] == texts


def test_moments_name_the_day_once() -> None:
    start = datetime(2026, 3, 1, 20, tzinfo=UTC).timestamp()

    texts = [tick.text for tick in scales.moments(start, start + 8 * 3600)]

    assert texts == ["2026-03-01 20:00", "22:00", "2026-03-02 00:00", "02:00", "04:00"]


@pytest.mark.parametrize(("span", "about"), [(3, 6), (7200, 6), (86_400 * 12, 6), (3e9, 6)])
def test_moments_are_few_enough_to_read(span: float, about: int) -> None:
    start = datetime(2026, 3, 1, 20, tzinfo=UTC).timestamp()

    assert 1 <= len(scales.moments(start, start + span, about=about)) <= about + 4


@pytest.mark.parametrize("values", [[], [7.0], [0.0, 0.0], [float("nan")], [3.0, float("inf")]])
def test_a_range_is_never_empty(values: list[float]) -> None:
    low, high = scales.spread(values)

    assert low < high
