from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from compliance.reports import flags


def _measure(text: str) -> float:
    return 5.0 * len(text)


@given(
    st.lists(
        st.tuples(st.floats(0, 400), st.text("ab", min_size=1, max_size=12)),
        min_size=1,
        max_size=14,
    )
)
def test_names_in_one_lane_never_overlap(events: list[tuple[float, str]]) -> None:
    placed = flags.stacked(sorted(events), measure=_measure, left=0.0, right=400.0)

    assert [(flag.x, flag.text) for flag in placed] == sorted(events)
    for one, other in combinations(placed, 2):
        if one.lane == other.lane:
            first, second = sorted((one, other), key=lambda flag: flag.left)
            assert first.left + _measure(first.text) <= second.left


def test_a_name_stands_above_the_line_of_the_event_it_passes_over() -> None:
    early, late = flags.stacked(
        [(10.0, "a long name"), (20.0, "b")], measure=_measure, left=0.0, right=400.0
    )

    assert early.lane > late.lane
