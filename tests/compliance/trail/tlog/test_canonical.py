"""Test the one byte form of a JSON value."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.trail.tlog import canonical
from tests.compliance.trail.tlog.vectors.canonical_json import REFUSED

PROPERTY = settings(derandomize=True, deadline=None, database=None, max_examples=150)

keys = st.text("AZaz09_.-", min_size=1, max_size=6)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-canonical.MAX_INTEGER, canonical.MAX_INTEGER)
    | st.text(max_size=12)
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=20,
)


@PROPERTY
@given(values)
def test_a_value_is_read_back_from_its_bytes(value: canonical.Value) -> None:
    data = canonical.dumps(value)

    assert canonical.loads(data) == value


@PROPERTY
@given(values)
def test_the_bytes_are_those_of_json_dumps_and_of_rfc_8785(value: canonical.Value) -> None:
    data = canonical.dumps(value)

    plain = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert data == plain.encode()
    assert data == canonical.jcs(value)


@PROPERTY
@given(st.binary(max_size=40) | st.text('{}[]":,\\ud80c0123456789.-eEtrufalsn ', max_size=30))
def test_any_input_is_either_canonical_or_refused(raw: bytes | str) -> None:
    data = raw if isinstance(raw, bytes) else raw.encode()

    try:
        value = canonical.loads(data)
    except canonical.NotCanonical:
        return

    assert canonical.dumps(value) == data


@PROPERTY
@given(values, st.data())
def test_a_changed_byte_never_gives_the_same_value(value: canonical.Value, data: Any) -> None:
    good = canonical.dumps(value)
    place = data.draw(st.integers(0, len(good) - 1))
    bad = good[:place] + bytes([good[place] ^ data.draw(st.integers(1, 255))]) + good[place + 1 :]

    try:
        other = canonical.loads(bad)
    except canonical.NotCanonical:
        return

    assert canonical.dumps(other) == bad != good


def test_a_tuple_is_written_as_a_list() -> None:
    assert canonical.dumps({"b": (1, None), "a": "ü"}) == '{"a":"ü","b":[1,null]}'.encode()


def test_text_is_not_normalised() -> None:
    composed, decomposed = canonical.dumps("\u00e9"), canonical.dumps("e\u0301")

    assert composed != decomposed
    assert canonical.loads(decomposed) == "e\u0301"


def test_the_scale_of_a_decimal_string_is_kept() -> None:
    assert canonical.dumps({"v": "12.50"}) != canonical.dumps({"v": "12.5"})


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ({"a": [1, {"b": 1.0}]}, "$.a[1].b"),
        ({"a": Decimal("1.0")}, "$.a"),
        ({"a": float("nan")}, "$.a"),
        ([2**53], "$[0]"),
        ([-(2**53)], "$[0]"),
        ({"a": "x\ud800"}, "$.a"),
        ({"a": "\udc00\ud800"}, "$.a"),
        ({"a": b"bytes"}, "$.a"),
        ({"a": {1, 2}}, "$.a"),
        ({"a": {"": 1}}, "$.a"),
        ({"a": {"ä": 1}}, "$.a"),
        ({"a": {"x y": 1}}, "$.a"),
        ({"a": {"x\n": 1}}, "$.a"),
        ({"a": {1: 1}}, "$.a"),
    ],
)
def test_what_has_no_canonical_form_is_refused_with_its_place(value: Any, path: str) -> None:
    with pytest.raises(canonical.NotCanonical) as refusal:
        canonical.dumps(value)

    assert refusal.value.path == path


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED)
def test_bytes_with_another_form_are_refused(data: bytes) -> None:
    with pytest.raises(canonical.NotCanonical):
        canonical.loads(data)


@pytest.mark.parametrize(
    "data",
    [
        '"😀"'.encode(),
        b'"\\u0000\\u001f\\n\\"\\\\/\x7f"',
        b"9007199254740991",
        b"-9007199254740991",
        b"null",
        b'{"A":1,"a":{},"a.b":[],"a_b":true}',
    ],
)
def test_canonical_bytes_are_read(data: bytes) -> None:
    assert canonical.dumps(canonical.loads(data)) == data


def test_a_key_that_appears_twice_is_named() -> None:
    with pytest.raises(canonical.NotCanonical, match="'a' appears twice"):
        canonical.loads(b'{"a":1,"b":2,"a":1}')


def test_a_float_is_refused_with_its_place() -> None:
    for number in (b"12.50", b"1e2", b"NaN", b"-Infinity"):
        with pytest.raises(canonical.NotCanonical, match=r"\$\.a\[0\]: float .* as a string"):
            canonical.loads(b'{"a":[' + number + b"]}")


def test_nesting_has_a_limit_both_ways() -> None:
    depth = canonical.MAX_DEPTH
    deepest = b"[" * depth + b"]" * depth

    assert canonical.dumps(canonical.loads(deepest)) == deepest
    with pytest.raises(canonical.NotCanonical, match="nested deeper"):
        canonical.loads(b"[" + deepest + b"]")
    with pytest.raises(canonical.NotCanonical, match="nested deeper"):
        canonical.dumps([json.loads(deepest)])


def test_rfc_8785_orders_keys_by_utf_16_and_refuses_what_json_cannot_say() -> None:
    assert canonical.jcs({"\ufb33": 1, "😀": 2}) == '{"😀":2,"\ufb33":1}'.encode()
    for value in (float("inf"), "\udc00", {"\ud800": 1}, 2**53):
        with pytest.raises(canonical.NotCanonical):
            canonical.jcs(value)
