"""What is accepted at once is what the strict reader accepts; all else goes to the strict reader."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.trail import entry_form
from compliance.trail.tlog import canonical
from compliance.trail.verifying import quick, times

ORIGIN = "example.org/log"
texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
wholes = st.integers(-canonical.MAX_INTEGER, canonical.MAX_INTEGER)
AT = "2026-03-02T12:00:00.000000Z"
values = st.none() | st.booleans() | wholes | texts | texts.map(lambda c: {"c": c})
names = st.from_regex(r"[A-Za-z0-9_.-]{1,6}", fullmatch=True)
digests = st.binary(min_size=32, max_size=32).map(bytes.hex)


@st.composite
def entries(draw: Any) -> dict[str, Any]:
    op = draw(st.sampled_from(("insert", "update", "delete")))
    is_first, columns = op == "insert", draw(st.lists(names, min_size=1, max_size=5, unique=True))
    new = {} if op == "delete" else {name: draw(values) for name in columns}
    old = {} if is_first else {name: draw(values | st.just({"c": None})) for name in columns}
    return {
        "act": {name: draw(texts) for name in sorted(entry_form.ACT)} | {"acted_at": AT},
        "after": draw(digests) if op == "update" else None,
        "at": AT,
        "log": ORIGIN,
        "new": new,
        "old": old,
        "op": op,
        "prev": None if is_first else draw(digests),
        "record": draw(texts.filter(bool)),
        "record_id": draw(texts.filter(bool)),
        "record_seq": 1 if is_first else draw(st.integers(2, canonical.MAX_INTEGER)),
        "v": 2,
    }


def read(*bodies: bytes) -> list[quick.Body] | None:
    found = quick.Reader(ORIGIN).read(b"\n".join(bodies), len(bodies))
    return None if found is None else found[0]


@given(st.lists(entries(), min_size=1, max_size=4))
def test_whatever_is_canonical_is_accepted_at_once(documents: list[dict[str, Any]]) -> None:
    found = read(*map(canonical.dumps, documents))

    assert found is not None
    assert [one.record_id for one in found] == [one["record_id"] for one in documents]


@settings(max_examples=1000, deadline=None)
@given(entries(), st.data())
def test_no_altered_bytes_are_accepted_that_the_strict_reader_refuses(
    document: dict[str, Any], data: Any
) -> None:
    body = canonical.dumps(document)
    start = data.draw(st.integers(0, len(body)))
    end = data.draw(st.integers(start, min(len(body), start + 4)))
    altered = body[:start] + data.draw(st.binary(max_size=4) | HOSTILE) + body[end:]

    found = read(altered) or []
    stated = [one for body in found for one in (body.prev, body.after) if one is not None]
    # Digests and the time of the entry are looked at by whoever called the reader.
    is_timed = times.Clock().read([one.at for one in found]) is not None
    if found and b"\n" not in altered and quick.digests(stated) is not None and is_timed:
        assert entry_form.parse(altered)


HOSTILE = st.sampled_from(
    [
        *(b'"\\ud800"', b'"\\udc00\\ud800"', b'"\\ud83d\\ude00"', b"\xff", b"\xed\xa0\x80"),
        *(b"NaN", b"Infinity", b"1.0", b"1e2", b"-0", b"9007199254740992", b"-9007199254740992"),
        *(
            b" ",
            b"\t",
            b"\\/",
            b"\\u0041",
            b'"a":1,',
            b'"a":1,"a":1,',
            b"[]",
            b"{}",
            b"true",
            b"\x00",
        ),
        *(b'{"c":1}', b'{"c":null}', b'{"d":""}', b"123456789012345678901234567890"),
    ]
)


@pytest.mark.parametrize(
    "planted",
    [
        *('"b":1,"a":1', '"a":1,"a":1', '"":1', '"ä":1', '"a b":1', '"a":1.5', '"a":1e2'),
        *('"a":9007199254740992', '"a":-9007199254740992', '"a":[1]', '"a":{"c":1}', '"a":-0'),
        *(r'"a":"\ud800"', r'"a":"\u0041"', r'"a":"\/"', '"a": 1', '"a":NaN', r'"a":"\u001F"'),
        *('"a":{"d":"x"}', '"a":{"c":"x","c":"x"}', '"a":1152921504606846977123456789'),
    ],
)
def test_what_has_no_place_in_the_profile_is_left_to_the_strict_reader(planted: str) -> None:
    document = {**_entry(), "new": {}}
    body = canonical.dumps(document).replace(b'"new":{}', f'"new":{{{planted}}}'.encode())

    assert read(body) is None


@pytest.mark.parametrize(
    "altered", [{"v": 3}, {"v": True}, {"record_seq": "1"}, {"record_seq": True}, {"op": "upsert"},
                {"log": "other.org"}, {"more": 1}, {"act": {}}, {"new": None},
                {"record": ""}, {"record_id": ""}, {"record_seq": 2}, {"record_seq": 0},
                {"prev": "ab" * 32}, {"after": "ab" * 32}, {"old": {"a": 1}}, {"op": "update"},
                {"op": "delete"}, {"new": {"a": {"c": None}}}],
)  # fmt: skip
def test_what_is_no_entry_of_this_log_is_left_to_the_strict_reader(altered: dict[str, Any]) -> None:
    assert read(canonical.dumps({**_entry(), **altered})) is None


@pytest.mark.parametrize("month", range(14))
def test_moments_that_do_not_exist_are_left_to_the_strict_reader(month: int) -> None:
    for day in range(33):
        act = _entry()["act"] | {"acted_at": f"2028-{month:02}-{day:02}T23:59:59.999999Z"}
        body = canonical.dumps({**_entry(), "act": act})

        if read(body) is not None:
            assert entry_form.parse(body)


def test_every_control_character_is_written_as_the_profile_does() -> None:
    every = "".join(map(chr, [*range(0x100), 0x2028, 0x2029, 0xFFFE, 0xFFFF, 0x1F600]))

    assert read(canonical.dumps({**_entry(), "new": {"a": every}})) is not None


def test_two_entries_in_one_body_are_not_taken_for_two_bodies() -> None:
    one = canonical.dumps(_entry())

    assert quick.Reader(ORIGIN).read(one + b"\n" + one, 1) is None
    assert quick.Reader(ORIGIN).read(one + b"\n\n" + one, 3) is None


@given(entries())
def test_the_bytes_of_new_are_found(document: dict[str, Any]) -> None:
    document["old"] = {}

    found = quick.new_of(canonical.dumps(document))

    assert found == canonical.dumps(document["new"])


def test_digests_are_lower_case_hexadecimal_of_32_bytes() -> None:
    assert quick.digests(["ab" * 32]) == b"\xab" * 32
    for wrong in (["AB" * 32], ["ab" * 31, "ab" * 33], ["ab" * 31 + " b"], ["zz" * 32]):
        assert quick.digests(wrong) is None


def _entry() -> dict[str, Any]:
    return {
        "act": {name: name for name in sorted(entry_form.ACT)} | {"acted_at": AT},
        "after": None,
        "at": "2026-03-02T12:00:00.000000Z",
        "log": ORIGIN,
        "new": {"a": 1},
        "old": {},
        "op": "insert",
        "prev": None,
        "record": "t",
        "record_id": "1",
        "record_seq": 1,
        "v": 2,
    }


def test_the_entry_of_these_tests_is_in_order() -> None:
    body = canonical.dumps(_entry())

    assert read(body) is not None
    assert json.loads(body) == entry_form.parse(body)
