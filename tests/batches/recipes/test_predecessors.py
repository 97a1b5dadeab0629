"""Phases run one after the other, and a parallel group side by side."""

from dataclasses import dataclass

import pytest

from batches.recipes import predecessors


@dataclass(frozen=True)
class Phase:
    order: int
    parallel_group: str = ""


@pytest.mark.parametrize(
    ("groups", "needed"),
    [
        ([], []),
        (["", "", ""], [set(), {1}, {1, 2}]),
        (["a", "a", ""], [set(), set(), {1, 2}]),
        (["", "a", "a", ""], [set(), {1}, {1}, {1, 2, 3}]),
        (["a", "a", "b", "b"], [set(), set(), {1, 2}, {1, 2}]),
        (["a", "", "a"], [set(), {1}, {1, 2}]),
    ],
)
def test_a_phase_waits_for_all_before_it_but_those_of_its_own_group(
    groups: list[str], needed: list[set[int]]
) -> None:
    phases = [Phase(order, group) for order, group in enumerate(groups, start=1)]

    found = predecessors.of(reversed(phases))

    assert found == {order: frozenset(one) for order, one in enumerate(needed, start=1)}
