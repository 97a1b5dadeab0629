"""A probability over related futures has the interval that their relation leaves."""

import math

import pytest

from twins.models.advice import chances
from twins.models.advice.answers import Chance
from twins.models.advice.futures import COUNT, OF_EACH
from twins.models.estimation import MEMBERS


def test_there_are_a_thousand_futures() -> None:
    assert COUNT == OF_EACH * MEMBERS >= 1000


def test_independent_futures_count_one_by_one() -> None:
    found = chances.interval([OF_EACH // 2] * MEMBERS, of_each=OF_EACH)

    # Wilson, 512 of 1,024, z = 1.645
    assert found.probability == pytest.approx(0.5, abs=1e-3)
    assert found.low == pytest.approx(0.4743, abs=1e-4)
    assert found.high == pytest.approx(0.5257, abs=1e-4)


def test_futures_that_all_follow_their_member_count_as_many_as_there_are_members() -> None:
    found = chances.interval([OF_EACH, 0] * (MEMBERS // 2), of_each=OF_EACH)

    # Wilson, 32 of 64
    assert found.low == pytest.approx(0.3990, abs=1e-3)
    assert found.high == pytest.approx(0.6010, abs=1e-3)


@pytest.mark.parametrize(("each", "end"), [(0, "high"), (OF_EACH, "low")])
def test_none_or_all_is_no_certainty(each: int, end: str) -> None:
    found = chances.interval([each] * MEMBERS, of_each=OF_EACH)

    assert 0.0 < found.probability < 1.0
    assert found.low <= found.probability <= found.high
    # 2.706 / (64 + 2.706): as many as there are members
    assert abs(getattr(found, end) - each / OF_EACH) == pytest.approx(0.0406, abs=1e-4)


def test_a_shift_moves_a_chance_and_its_interval_and_leaves_certainty() -> None:
    found = chances.shifted(Chance(0.5, 0.0, 0.8), -math.log(4.0))

    # odds of 1 and 4 to 1, each a quarter of it
    assert found.probability == pytest.approx(0.2)
    assert found.low == 0.0
    assert found.high == pytest.approx(0.5)
    assert chances.shifted(Chance(0.5, 0.2, 1.0), 0.0) == Chance(0.5, 0.2, 1.0)
