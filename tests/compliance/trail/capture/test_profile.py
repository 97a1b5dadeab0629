"""Text is recorded as it was typed; what has no one byte form is refused, in every way of writing."""

import json
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compliance.refusals import Refused
from compliance.trail import entry_form, recording
from compliance.trail.fields import CanonicalJSONField
from compliance.trail.models import Entry
from compliance.trail.recording import System
from compliance.trail.tlog import canonical
from tests import trail_log
from tests.trail_app.models import Everything, Kept, Vessel

pytestmark = pytest.mark.django_db

COMPOSED, DECOMPOSED = "Zürich \u00c5", "Zu\u0308rich A\u030a"
AS_TYPED = {
    "composed (NFC)": COMPOSED,
    "decomposed (NFD)": DECOMPOSED,
    "compatibility form (NFKC would fold it)": "\u2126 \ufb01 \u00b5 \u212b",
    "Cyrillic letters that look Latin": "\u0440\u0430\u0441\u0435",
    "Greek and Latin mixed": "\u039f0O",
    "right-to-left marks": "batch \u202e123\u202c \u200f\u2067x\u2069",
    "zero width": "a\u200bb\u200dc\ufeffd",
    "emoji with joiners": "\U0001f469\U0001f3fd\u200d\U0001f52c",
    "beyond the basic plane": "\U0001d11e\U0010ffff",
    "controls that JSON escapes": "\x01\x08\t\n\x0b\x0c\r\x1f\x7f",
    "quotes and backslashes": "\"quoted\" \\ 'single' \\u0041 \\u0000 %s {} $$",
    "line separators": "a\u2028b\u2029c\u0085d",
    "noncharacters": "\ufdd0\uffff",
    "spaces around": "  kept  ",
}


def last(record: str) -> tuple[dict[str, Any], bytes]:
    body = Entry.objects.filter(record=record).order_by("-entry_id")[0].body.encode()
    return entry_form.parse(body), body


@pytest.mark.parametrize("text", AS_TYPED.values(), ids=AS_TYPED.keys())
def test_text_is_kept_as_typed_everywhere(text: str) -> None:
    with recording.recording(
        trail_log.Action.TRIED, actor=System(text), at=trail_log.NOON, reason=f"because {text}x"
    ):
        Everything.objects.create(text=text, word=text, document={"text": text})

    members, body = last("trail_app_everything")
    assert canonical.dumps(members) == body
    assert (members["new"]["text"], members["new"]["word"]) == (text, text)
    assert json.loads(members["new"]["document"]) == {"text": text}
    assert (members["act"]["actor"], members["act"]["reason"]) == (text, f"because {text}x")


def test_composed_and_decomposed_are_two_texts_and_a_change() -> None:
    with trail_log.act():
        kept = Kept.objects.create(text=COMPOSED)
    first = last("trail_app_kept")[1]
    with trail_log.act("the same letters in another form"):
        kept.text = DECOMPOSED
        kept.save()

    members, body = last("trail_app_kept")
    assert members["record_seq"] == 2
    assert (members["old"], members["new"]) == ({"text": COMPOSED}, {"text": DECOMPOSED})
    assert body != first


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=60))
def test_any_text_is_canonical_and_reads_back(text: str) -> None:
    with trail_log.act():
        Kept.objects.create(text=text)

    members, body = last("trail_app_kept")
    assert canonical.dumps(members) == body
    assert members["new"]["text"] == text


# --- What has no form. NUL is no character of PostgreSQL's texts, half of a pair none of UTF-8.

NO_FORM = {"NUL": "a\0b", "high half": "a\ud800", "low half": "\udc00b", "reversed": "\udc00\ud800"}


def as_reason(text: str) -> None:
    with trail_log.act(f"because {text}"):
        Kept.objects.create(text="x")


def as_actor(text: str) -> None:
    with trail_log.act(name=text):
        Kept.objects.create(text="x")


def as_source(text: str) -> None:
    token = recording.source.set(text)
    try:
        with trail_log.act():
            Kept.objects.create(text="x")
    finally:
        recording.source.reset(token)


def as_text(text: str) -> None:
    with trail_log.act():
        Kept.objects.create(text=text)


def as_update(text: str) -> None:
    with trail_log.act("another text"):
        Kept.objects.update(text=text)


def as_bulk(text: str) -> None:
    with trail_log.act():
        Kept.objects.bulk_create([Kept(text=text)])


def as_json(text: str) -> None:
    with trail_log.act():
        Everything.objects.create(document={"text": text})


def as_sql(text: str) -> None:
    with trail_log.act(), connection.cursor() as cursor:
        cursor.execute("INSERT INTO trail_app_kept (text) VALUES (%s)", [text])


def as_copy(text: str) -> None:
    with trail_log.act(), connection.cursor() as cursor:
        with cursor.copy("COPY trail_app_kept (text) FROM STDIN") as copy:
            copy.write_row([text])


WAYS = (as_reason, as_actor, as_source, as_text, as_update, as_bulk, as_json, as_sql, as_copy)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("text", NO_FORM.values(), ids=NO_FORM.keys())
def test_what_has_no_form_is_refused_in_every_way_of_writing(way: Any, text: str) -> None:
    with trail_log.act():
        Kept.objects.create(text="before")
    before = Entry.objects.count()

    with pytest.raises(Exception, match=r"(?i)nul|surrogate|0x00"), transaction.atomic():
        way(text)

    assert Entry.objects.count() == before
    with trail_log.act():  # and the next act is none the worse
        Kept.objects.create(text="after")
    assert last("trail_app_kept")[0]["new"]["text"] == "after"


def test_an_inner_act_that_is_refused_does_not_stay_the_current_one() -> None:
    with trail_log.act("the outer act") as outer:
        with pytest.raises(Refused):
            as_reason("a\0b")

        assert recording.current() == outer
        Kept.objects.create(text="in the outer act")

    assert recording.current() is None
    assert last("trail_app_kept")[0]["act"]["id"] == outer.id


def test_the_characters_of_an_escape_are_text_in_json() -> None:
    with trail_log.act():
        made = Everything.objects.create(document={"text": "\\u0000"})

    made.refresh_from_db()
    assert made.document == {"text": "\\u0000"}


@pytest.mark.parametrize("escaped", ["\\u0000", "\\ud800", "\\udc00\\ud800"])
def test_escapes_in_sql_make_no_such_text_either(escaped: str) -> None:
    with trail_log.act(), connection.cursor() as cursor:
        with pytest.raises(Exception, match=r"(?i)unicode|null|surrogate"), transaction.atomic():
            cursor.execute(f"INSERT INTO trail_app_kept (text) VALUES (E'{escaped}')")

        # the very characters of the escape are text like any other
        cursor.execute("INSERT INTO trail_app_kept (text) VALUES (%s)", [escaped])

    assert last("trail_app_kept")[0]["new"]["text"] == escaped


# --- Numbers


def test_trailing_zeros_are_kept() -> None:
    with trail_log.act():
        Everything.objects.create(exact=Decimal("12.5000000000"))
        Vessel.objects.create(name="A", volume_l=Decimal("0.500000"))

    assert last("trail_app_everything")[0]["new"]["exact"] == "12.5000000000"
    assert last("trail_app_vessel")[0]["new"]["volume_l"] == "0.500000"


@pytest.mark.parametrize("value", [1.5, float("nan"), float("inf"), [0.1], {"a": {"b": 2.0}}])
def test_no_float_reaches_an_entry(value: Any) -> None:
    with pytest.raises(ValidationError, match="no canonical form"), trail_log.act():
        Everything.objects.create(document={"value": value})

    with pytest.raises(canonical.NotCanonical):
        canonical.dumps({"value": value})


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity"])
def test_no_number_that_is_none_reaches_an_entry(value: str) -> None:
    with trail_log.act(), pytest.raises(Exception, match=r"(?i)numeric|nan|infinity|invalid"):
        with transaction.atomic():
            Everything.objects.create(exact=Decimal(value))


def test_a_json_text_that_another_program_wrote_is_not_read_as_canonical() -> None:
    field = CanonicalJSONField()

    for text in ('{"a": 1}', '{"b":1,"a":2}', '{"a":1.0}', '{"a":1,"a":1}', '{"a":"\\ud800"}'):
        with pytest.raises(canonical.NotCanonical):
            field.from_db_value(text, None, None)
