"""Bodies that have in common what they are made of have nothing else in common."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from compliance.wire import In, Instant, Out, Text


class Line(In):
    tag = Text(max_length=5)


class Sheet(In):
    first = Text(max_length=5)
    line = Line()
    last = Text(max_length=5, default="z")


class Named(Out):
    name = serializers.CharField()


SHEET = {"first": "a", "line": {"tag": "b"}}


def test_what_was_said_in_one_body_is_not_in_the_next() -> None:
    wrong, right = Sheet(data={"first": "too long", "extra": 1}), Sheet(data=SHEET)

    assert not wrong.is_valid()
    assert right.is_valid()

    assert set(wrong.errors) == {"extra"}
    assert (dict(right.errors), right.initial_data) == ({}, SHEET)
    assert right.validated_data == {**SHEET, "last": "z"}


def test_a_body_is_made_as_the_frame_makes_it() -> None:
    Sheet(data=SHEET)  # the first of its kind
    ours, theirs = Sheet(data=SHEET), Sheet(data=SHEET, context={})

    apart = {"_creation_counter", "_kwargs"}
    assert {name: value for name, value in vars(ours).items() if name not in apart} == {
        name: value for name, value in vars(theirs).items() if name not in apart
    }


def test_the_context_of_a_body_is_its_own() -> None:
    one, other = Sheet(data=SHEET), Sheet(data=SHEET)
    one.context["batch"] = "B-1"

    assert other.context == Sheet(data=SHEET).context == {}
    assert Sheet(data=SHEET, context={"batch": "B-2"}).context == {"batch": "B-2"}


def test_a_body_that_may_be_a_part_asks_for_no_more() -> None:
    assert Sheet(data={"first": "a"}, partial=True).is_valid()
    with pytest.raises(ValidationError):
        Sheet(data={"first": "a"}).is_valid(raise_exception=True)


def test_bodies_declared_as_fields_stay_in_their_order() -> None:
    Line(data={"tag": "b"})  # the first of its kind

    class Later(In):
        before = Text()
        line = Line()
        after = Text()

    assert list(Later().fields) == ["before", "line", "after"]


def test_many_are_answered_as_one_is() -> None:
    rows = [{"name": "a"}, {"name": "b"}]

    assert Named(rows, many=True).data == [Named(row).data for row in rows] == rows


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 3, 1, 8, 0, tzinfo=UTC),
        datetime(2026, 3, 1, 8, 0, 0, 123, tzinfo=UTC),
        datetime(2026, 3, 29, 2, 30, 0, 500_000, tzinfo=timezone(timedelta(hours=2))),
        datetime(2026, 3, 1, 8, 0, tzinfo=timezone(-timedelta(hours=9, minutes=30))),
    ],
)
def test_a_moment_is_answered_as_the_frame_answers_it(moment: Any) -> None:
    assert Instant().to_representation(moment) == (
        serializers.DateTimeField().to_representation(moment)
    )


def test_a_choice_that_there_is_not_is_told_which_there_are() -> None:
    class Chosen(In):
        kind = serializers.ChoiceField(choices=["addition", "alarm"])

    body = Chosen(data={"kind": "batch-start"})

    assert not body.is_valid()
    assert body.errors["kind"] == ["“batch-start” is none of addition, alarm"]
