"""Records followed all at once give what following them one by one gives."""

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from compliance.trail.verifying import buckets, named, spill

FLAGS = {"insert": spill.INSERT, "update": spill.UPDATE, "delete": spill.DELETE}
steps = st.lists(
    st.tuples(
        st.integers(0, 2),  # record
        st.sampled_from(("insert", "update", "delete")),
        st.integers(-1, 2),  # how far its number is off
        st.booleans(),  # whether it names the entry before
        st.booleans(),  # whether what it is was only guessed
    ),
    max_size=12,
)


def records(found: list[tuple[int, str, int, bool, bool]]) -> spill.Records:
    made = np.zeros(len(found), spill.RECORD)
    last: dict[int, tuple[int, int]] = {}
    for order, (record, op, off, names, is_guessed) in enumerate(found):
        seq, digest = last.get(record, (0, 0))
        one = made[order]
        one["key"], one["order"], one["seq"] = (record, 7), order, seq + 1 + off * (off != 2)
        one["digest"] = (order + 1, order + 1)
        one["prev"] = (digest, digest) if names else (99, 99)
        one["flags"] = FLAGS[op] | (0 if digest or not names else spill.NO_PREV)
        if is_guessed:
            one["flags"] |= spill.GUESSED | spill.NO_DIGEST
        one["table"] = spill.UNCONTROLLED
        last[record] = (0, 0) if op == "delete" else (int(one["seq"]), order + 1)
    return made


@given(steps)
def test_a_record_is_faulty_when_one_of_its_entries_does_not_follow(
    found: list[tuple[int, str, int, bool, bool]],
) -> None:
    made = buckets.sort(records(found))
    begins = buckets.starts(made)

    faulty = {int(one["key"][0, 0]) for one in buckets.faulty(made, begins, is_partial=False)}

    assert faulty == {n for n in range(3) if _is_faulty(made[made["key"][:, 0] == n])}


def _is_faulty(group: Any) -> bool:
    before, wrong = None, False
    for step in group:
        if not step["flags"] & spill.GUESSED:
            wrong |= named._compare(before, step)[0] is not None
        before = step
    return wrong
