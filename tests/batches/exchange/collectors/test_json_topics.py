"""JSON of a topic becomes a reading as its mapping says, or is put aside whole."""

import pytest

from batches.exchange.collectors import json_topics
from batches.exchange.collectors.configuration import Topic
from batches.exchange.collectors.quality import Qualities
from batches.exchange.collectors.samples import Taken, Target
from tests.batches.exchange.collectors.peers import NOON

ISO = Topic("t", Target("B-1", "temperature_c", "Cel"), "/d/0/v", "/at", "iso", None, ())
FLAT = Topic("t", ISO.target, "/v", "/at", "ms", "/q", ("GOOD", "192"))
AT = '"at": "2026-03-01T13:00:00+01:00"'


def _take(topic: Topic, text: str, qualities: Qualities | None = None) -> Taken:
    return json_topics.take(topic, text.encode(), qualities or Qualities(), at=NOON)


def test_value_and_moment_are_found_by_their_pointers_and_the_digits_stay() -> None:
    taken = _take(ISO, f'{{"d": [{{"v": 36.80}}], {AT}}}')

    assert [(one.value, one.at) for one in taken.samples] == [("36.80", NOON)]


@pytest.mark.parametrize(("form", "at"), [("ms", "1772366400000"), ("s", "1772366400.0")])
def test_the_moment_may_be_a_count(form: str, at: str) -> None:
    topic = Topic("t", ISO.target, "/v", "/at", form, None, ())

    assert _take(topic, f'{{"v": 1, "at": {at}}}').samples[0].at == NOON


@pytest.mark.parametrize("quality", ['"GOOD"', "192"])
def test_a_good_quality_is_a_value(quality: str) -> None:
    assert _take(FLAT, f'{{"v": 1, "at": 1772366400000, "q": {quality}}}').samples


@pytest.mark.parametrize("said", ['"v": 1, "q": "BAD"', '"v": null, "q": 192'])
def test_anything_else_is_noted_once_and_is_no_value(said: str) -> None:
    qualities = Qualities()
    text = f'{{{said}, "at": 1772366400000}}'

    first, second = _take(FLAT, text, qualities), _take(FLAT, text, qualities)

    assert (first.samples, second.samples) == ([], [])
    assert [len(first.notes), len(second.notes)] == [1, 0]
    assert first.aside == []


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "36.8", "[]", '{"v": 1}', '{"d": [], "at": "x"}', "\ud7ff",
        f'{{"d": [{{"v": "36.8"}}], {AT.replace("+01:00", "")}}}',
        f'{{"d": [{{"v": NaN}}], {AT}}}',
        f'{{"d": [{{"v": true}}], {AT}}}',
        f'{{"d": [{{"v": "much"}}], {AT}}}',
        f'{{"d": [{{"v": 1, "v": 2}}], {AT}}}',
        '{"d": [{"v": 1}], "at": 1772366400}',
        '{"d": [{"v": 1}], "at": "2026-02-30T13:00:00Z"}',
        "[" * 100_000,
    ],
)  # fmt: skip
def test_what_is_not_of_the_declared_form_is_put_aside_with_its_text(text: str) -> None:
    taken = _take(ISO, text)

    assert (taken.samples, taken.notes) == ([], [])
    assert [one.code for one in taken.aside] == ["message-invalid"]
    assert taken.aside[0].text.startswith(f"t: {text}")


def test_bytes_that_are_no_text_are_kept_readable() -> None:
    taken = json_topics.take(ISO, b"\xff\xfe", Qualities(), at=NOON)

    assert r"\xff\xfe" in taken.aside[0].text
