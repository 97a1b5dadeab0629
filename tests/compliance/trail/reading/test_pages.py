"""People read timelines, versions and entries in pages, and are told what is not there."""

import re
from html import unescape

import pytest
from django.test import Client

from compliance.access.duties import Role
from compliance.trail import timeline_pages
from compliance.trail.models import Entry
from tests import factories, trail_log
from tests.conftest import FreshLog
from tests.trail_app.models import Vessel

TABLE = "trail_app_vessel"
LIST = "/admin/trail/entry/"


@pytest.fixture
def reader(first: Vessel) -> Client:
    client = Client()
    client.force_login(
        factories.person(Role.AUDITOR), backend="compliance.access.backends.RoleBackend"
    )
    return client


def text_of(client: Client, url: str, *, status: int = 200) -> str:
    answer = client.get(url)
    assert answer.status_code == status, answer.content[:500]
    return unescape(answer.content.decode())


def test_the_trail_shows_what_happened_last(reader: Client) -> None:
    text = text_of(reader, LIST)

    assert "What the mark" in text
    assert 'rel="next"' in text
    assert "<svg" in text


@pytest.mark.requirement("P11-e2")
def test_a_records_page_shows_its_changes_by_the_word_and_numbers_as_typed(
    reader: Client, first: Vessel
) -> None:
    text = text_of(reader, timeline_pages.record_url(TABLE, str(first.pk)))

    assert text.count('<article class="entry"') == 3
    assert "<del>anna</del>" not in text  # "of anna" stays, "of ben" is added
    assert "<ins> of ben</ins>" in text
    assert "<del>12.500000</del>" in text or "12.500000" in text
    assert "volume read again by anna" in text
    assert "checkpointed" in text


def test_a_person_page_has_only_what_that_person_did(reader: Client) -> None:
    text = text_of(reader, timeline_pages.person_url("anna"))

    assert text.count('<article class="entry"') == 10
    assert "by ben" not in text


@pytest.mark.requirement("P11-e3", "A11D-12")
def test_filters_narrow_the_list_and_say_so(reader: Client) -> None:
    text = text_of(reader, f"{LIST}?actor=anna&record={TABLE}&op=update&reason=AGAIN")
    none = text_of(reader, f"{LIST}?actor=anna&op=delete")
    wrong = text_of(reader, f"{LIST}?start=2026-03-02T00:00:00&end=2026-03-01T00:00:00", status=400)

    assert text.count('<article class="entry"') == 10
    assert "some entries are left out" in text
    assert "No entry is like that" in none
    assert "ends before it begins" in wrong


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("start=2026-13-45", "Enter a valid date/time."),
        ("before=abc", "before is the number of an entry, not “abc”"),
        ("after=-1", "after is the number of an entry, not “-1”"),
        ("start=2026-03-02T00:00&end=2026-03-01T00:00", "The period ends before it begins."),
        ("acter=anna", "and not “acter”."),
        ("actor=anna&actor=ben", "The address has actor more than once."),
    ],
)
def test_a_filter_that_cannot_be_read_shows_no_entries_and_says_why(
    reader: Client, query: str, said: str
) -> None:
    page = text_of(reader, f"{LIST}?{query}", status=400)

    assert said in page
    assert "Nothing is shown until the filter can be read" in page
    assert '<article class="entry"' not in page


def test_what_is_not_there_is_said_in_words(reader: Client) -> None:
    for url in (
        timeline_pages.record_url(TABLE, "999999"),
        timeline_pages.record_url("no_such_table", "a/b?c"),
        f"{LIST}999999999/change/",
        f"{LIST}12x/change/",
        f"{LIST}{'9' * 40}/change/",
    ):
        assert "The trail has no entry" in text_of(reader, url, status=404)
    assert "The trail has no entry of this" in text_of(reader, timeline_pages.person_url("nobody"))


def test_versions_name_the_entry_that_set_each_field_and_compare(
    reader: Client, first: Vessel
) -> None:
    url = f"{timeline_pages.record_url(TABLE, str(first.pk))}versions/"

    newest = text_of(reader, url)
    at_first = text_of(reader, f"{url}?number=1")
    compared = text_of(reader, f"{url}?number=3&against=1")

    assert "After its entry 3" in newest
    assert "After its entry 1" in at_first
    assert "of anna" not in at_first
    assert "From entry 1 to entry 3" in compared
    assert "<ins> of anna of ben</ins>" in compared
    assert "has no entry" in text_of(reader, f"{url}?moment=2001-01-01T00:00:00", status=404)


@pytest.mark.parametrize("query", ["sise=1", "size=one", "number=0", "number=1&number=2"])
def test_a_version_that_cannot_be_asked_for_is_not_the_newest_one(
    reader: Client, first: Vessel, query: str
) -> None:
    url = f"{timeline_pages.record_url(TABLE, str(first.pk))}versions/"

    page = text_of(reader, f"{url}?{query}", status=400)

    assert 'role="alert"' in page
    assert "After its entry" not in page


def test_an_entrys_page_has_its_bytes_its_proof_and_its_neighbours(reader: Client) -> None:
    entry = Entry.objects.filter(actor="anna").order_by("entry_id")[0]

    text = text_of(reader, f"{LIST}{entry.pk}/change/")

    assert "Inclusion proof in the tree" in text
    assert "Entry before" in text
    assert "Entry after" in text
    assert entry.body is not None
    assert entry.body in text


def test_an_entry_that_is_not_sealed_says_so(reader: Client) -> None:
    trail_log.vessels(1, "young")
    entry = Entry.objects.order_by("-entry_id")[0]

    assert "unsealed" in text_of(reader, f"{LIST}{entry.pk}/change/")
    assert "unsealed" in text_of(reader, LIST)


def test_markup_in_a_record_is_shown_and_not_run(reader: Client) -> None:
    with trail_log.act("<script>alert(1)</script> of the operator", name='<b>"eve"</b>'):
        Vessel.objects.create(name="<img src=x onerror=alert(1)>")

    raw = reader.get(LIST).content.decode()

    assert "<script>alert" not in raw
    assert "<img src=x" not in raw
    assert '<b>"eve"' not in raw
    assert raw.count("eve") > 0


def test_a_list_of_thousands_is_turned_without_losing_any(reader: Client) -> None:
    with trail_log.act("many at once", name="bulk"):
        Vessel.objects.bulk_create(Vessel(name=f"many {n}") for n in range(230))
    url: str | None = timeline_pages.person_url("bulk")
    seen = 0

    while url:
        text = text_of(reader, url)
        seen += text.count('<article class="entry"')
        older = [part for part in text.split("<a ") if 'rel="next"' in part[:200]]
        url = older[0].split('"')[1] if older else None

    assert seen == 230


def test_a_record_of_the_product_links_to_its_history(reader: Client) -> None:
    batch = factories.batch()

    text = text_of(reader, f"/admin/execution/batch/{batch.pk}/change/")

    assert timeline_pages.record_url("execution_batch", str(batch.pk)) in text
    assert timeline_pages.evidence_url(kind="batch", name=batch.number) in text


def test_somebody_without_a_role_sees_nothing(first: Vessel) -> None:
    client = Client()

    assert client.get(LIST).status_code == 302
    assert client.get(timeline_pages.person_url("anna")).status_code == 302


HOSTILE = "</p><script>alert(1)</script>&amp; \u202erelease\u202c \u2067x a\u200bb\u3164 שלום"


def test_hostile_texts_neither_act_nor_hide_nor_turn_what_stands_beside_them(
    read_log: FreshLog, reader: Client, first: Vessel
) -> None:
    with trail_log.act(f"Corrected {HOSTILE}", name=f"mes {HOSTILE}"):
        first.name = HOSTILE[:50]
        first.save()
    trail_log.seal_and_sign()
    record = timeline_pages.record_url(TABLE, str(first.pk))
    newest = Entry.objects.filter(record=TABLE, record_id=str(first.pk)).order_by("-pk")[0]

    for url in (
        record,
        f"{record}versions/",
        f"{LIST}{newest.pk}/change/",
        timeline_pages.person_url(f"mes {HOSTILE}"),
        LIST,
    ):
        answer = reader.get(url)
        page = answer.content.decode()

        assert answer.status_code == 200
        assert "<script>alert" not in page
        # What is offered to search by has to be what was recorded.
        body = re.sub(r"<datalist.*?</datalist>", "", page.split("<body", 1)[-1], flags=re.DOTALL)
        assert [sign for sign in "\u202e\u202c\u2067\u200b\u3164" if sign in body] == [], url
        assert "⟨U+202E⟩" in body, url


def test_a_reason_of_ten_thousand_letters_and_a_thousand_entries_are_shown(
    read_log: FreshLog, reader: Client, first: Vessel
) -> None:
    with trail_log.act("long reason " + "x" * 10_000):
        for number in range(1_000):
            first.volume_l = number
            first.save()
    trail_log.seal_and_sign()

    page = text_of(reader, timeline_pages.record_url(TABLE, str(first.pk)))

    assert page.count('<article class="entry"') == 50
    assert 'rel="next"' in page
    assert "x" * 10_000 in page
