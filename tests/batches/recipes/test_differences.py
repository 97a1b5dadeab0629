"""What changed between two contents is found line by line, and nothing else."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batches.recipes import differences
from batches.recipes.differences import FieldChange

VALUES = st.one_of(st.none(), st.booleans(), st.integers(0, 3), st.text("ab", max_size=2))


def _content(**lists: Any) -> dict[str, Any]:
    return {"title": "A", "twin_settings": {}, **{part: [] for part in differences.KEYS}, **lists}


def test_equal_contents_have_no_difference() -> None:
    assert differences.between(_content(), _content()).is_empty


def test_header_and_settings_are_compared_by_name() -> None:
    before = {**_content(), "twin_settings": {"every_h": 6, "feed": ["1"]}}
    after = {**_content(), "title": "B", "twin_settings": {"every_h": 12, "feed": ["1"]}}

    assert differences.between(before, after).header == [
        FieldChange("title", "A", "B"),
        FieldChange("twin_settings.every_h", 6, 12),
    ]


def test_lines_are_added_removed_and_changed() -> None:
    before = _content(parameters=[{"tag": "ph", "low": "6.9"}, {"tag": "foam", "low": None}])
    after = _content(parameters=[{"tag": "ph", "low": "6.8"}, {"tag": "do", "low": "30"}])

    found = differences.between(before, after)

    assert [(one.key, one.change) for one in found.of("parameters")] == [
        ("ph", "changed"), ("foam", "removed"), ("do", "added"),
    ]  # fmt: skip
    assert found.of("parameters")[0].fields == [FieldChange("low", "6.9", "6.8")]
    assert found.of("phases") == []


def _lines() -> st.SearchStrategy[list[dict[str, Any]]]:
    line = st.fixed_dictionaries({"tag": st.sampled_from("abcd"), "low": VALUES, "unit": VALUES})
    return st.lists(line, unique_by=lambda one: one["tag"], max_size=4)


@given(_lines(), _lines(), VALUES, VALUES)
def test_applying_the_difference_to_the_first_content_gives_the_second(
    old: list[dict[str, Any]], new: list[dict[str, Any]], title: Any, other: Any
) -> None:
    before = {**_content(parameters=old), "title": title}
    after = {**_content(parameters=new), "title": other}

    found = differences.between(before, after)
    lines = {one["tag"]: dict(one) for one in old}
    for change in found.lines:
        if change.change == "removed":
            del lines[change.key]
        else:
            line = lines.setdefault(change.key, {})
            line |= {one.field: one.after for one in change.fields}
    header = {"title": title} | {one.field: one.after for one in found.header}

    wanted = {one["tag"]: one for one in new}
    assert header["title"] == other
    assert lines.keys() == wanted.keys()
    for tag, line in wanted.items():
        assert all(lines[tag].get(name) == value for name, value in line.items())


@given(_lines(), _lines())
def test_the_difference_backwards_swaps_before_and_after(
    old: list[dict[str, Any]], new: list[dict[str, Any]]
) -> None:
    there = differences.between(_content(parameters=old), _content(parameters=new))
    back = differences.between(_content(parameters=new), _content(parameters=old))

    assert {(one.key, one.field, one.before, one.after) for one in _flat(there)} == {
        (one.key, one.field, one.after, one.before) for one in _flat(back)
    }


class _One:
    def __init__(self, key: str, change: FieldChange) -> None:
        self.key, self.field = key, change.field
        self.before, self.after = change.before, change.after


def _flat(found: differences.Difference) -> list[_One]:
    return [_One(line.key, change) for line in found.lines for change in line.fields]


@pytest.mark.parametrize("part", differences.KEYS)
def test_every_part_has_a_key(part: str) -> None:
    assert differences.KEYS[part]
