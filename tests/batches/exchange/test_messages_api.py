"""Messages over the API: posted with a key, packed or not, read back with their report."""

import gzip
from pathlib import Path
from typing import Any

import pytest
from django.test import Client, override_settings
from lxml import etree

from batches.exchange import batchml_export
from batches.exchange.formats import b2mml
from batches.exchange.formats.contents import RecordSaid
from batches.exchange.formats.xml_reading import ACKNOWLEDGEMENT
from batches.exchange.models.messages import Message
from batches.execution.models import Batch, EventKind
from compliance.access.authority import NotPermitted
from compliance.access.duties import Role
from compliance.access.models import DeviceKind
from tests import factories
from tests.batches.exchange import posting
from tests.batches.exchange.posting import RAW, XML, posted
from tests.factories import NOON

pytestmark = pytest.mark.django_db
LOT = b'<MaterialLot xmlns="http://www.mesa.org/xml/B2MML"><ID>L-1</ID></MaterialLot>'


def _code(answer: Any) -> str:
    return str(answer.json()["type"].rsplit("/", 1)[1])


def _get(token: str, path: str) -> Any:
    return Client().get(f"/api/v1/{path}", headers={"Authorization": f"Bearer {token}"})


def test_a_message_is_answered_with_its_report_and_read_back_byte_for_byte() -> None:
    _, token = factories.device_and_token(DeviceKind.MES)

    answer = posted(token, LOT, XML)

    assert answer.status_code == 201, answer.content
    said = answer.json()
    assert (said["state"], said["format"]) == ("quarantined", "b2mml-material-lot")
    assert said["acknowledgement"] == ACKNOWLEDGEMENT
    assert [one["code"] for one in said["report"]["problems"]] == ["lot-for-a-person"]
    assert posted(token, LOT, XML).content == answer.content
    again = posted(token, LOT, XML, key="key-2").json()
    assert again["id"] == said["id"]
    content = _get(token, f"messages/{said['id']}/content")
    assert (content.content, content["X-Content-Type-Options"]) == (LOT, "nosniff")
    assert _get(token, "messages?state=quarantined").json()["count"] == 1
    assert _get(token, f"messages/{said['id']}").json()["sha256"] == said["sha256"]


def test_a_device_sees_its_own_messages_only() -> None:
    _, token = factories.device_and_token(DeviceKind.MES)
    _, other = factories.device_and_token(DeviceKind.MES)
    said = posted(token, LOT, XML).json()

    assert _get(other, f"messages/{said['id']}").status_code == 404
    assert _get(other, f"messages/{said['id']}/content").status_code == 404
    assert _get(other, "messages").json()["count"] == 0


@pytest.mark.requirement("A11-5")
def test_a_packed_message_is_the_message_it_packs() -> None:
    _, token = factories.device_and_token(DeviceKind.MES)

    packed = posted(token, gzip.compress(LOT), XML, **{"Content-Encoding": "gzip"})
    plain = posted(token, LOT, XML, key="key-2")

    assert packed.json()["id"] == plain.json()["id"]
    assert packed.json()["size"] == len(LOT)


@pytest.mark.parametrize(
    ("data", "media_type", "query", "headers", "refused"),
    [
        (LOT, "application/json", "", {}, (415, "content-type-mismatch")),
        (LOT, "text/plain", "", {}, (415, "message-type-unknown")),
        (LOT, XML, "", {"Content-Encoding": "br"}, (415, "content-encoding-unsupported")),
        (LOT, XML, "", {"Content-Encoding": "gzip"}, (422, "message-malformed")),
        (b"<!DOCTYPE a><a/>", XML, "", {}, (422, "message-forbidden")),
        (LOT, XML, "?mapping=none", {}, (422, "mapping-unknown")),
        (LOT, XML, "?batch=none", {}, (422, "batch-unknown")),
        (b"x", RAW, "", {}, (422, "converter-not-named")),
        (b"x", RAW, "?converter=../x&filename=a.csv", {}, (422, "converter-not-named")),
        (
            b"x",
            RAW,
            "?converter=NOVABIO_FLEX2&filename=a.csv",
            {},
            (415, "converter-not-installed"),
        ),
        (b"<a>" + b"x" * 2048 + b"</a>", XML, "", {}, (413, "message-too-large")),
    ],
)
def test_what_is_refused_says_why_and_nothing_is_kept(
    data: bytes, media_type: str, query: str, headers: dict[str, str], refused: tuple[int, str]
) -> None:
    _, token = factories.device_and_token(DeviceKind.MES)

    with override_settings(MESSAGE_MAX_BYTES=1024, ALLOTROPY_PYTHON=""):
        answer = posted(token, data, media_type, query=query, **headers)

    assert (answer.status_code, _code(answer)) == refused, answer.content
    assert not Message.objects.exists()


def test_a_question_that_is_not_known_is_refused() -> None:
    _, token = factories.device_and_token(DeviceKind.MES)

    assert posted(token, LOT, XML, query="?batsh=B-1").status_code in (400, 422)
    assert not Message.objects.exists()


def test_a_stranger_posts_and_reads_nothing() -> None:
    assert Client().post("/api/v1/messages", LOT, content_type=XML).status_code == 401
    assert Client().get("/api/v1/messages").status_code == 401


# --- The record going out


@pytest.fixture
def made() -> Batch:
    """Return a running batch with a charge, an entry, an event and a result."""
    phase = factories.ready_phase()
    batch = phase.batch
    factories.charge(batch.materials.get(line=1), net="10")
    factories.in_process(phase, value="7.00")
    factories.result(factories.sample(batch))
    said = {"text": "two\nlines", "details": {"seen": ["a", 1]}}
    factories.happened(batch, EventKind.OBSERVATION, **said)
    return Batch.objects.select_related("recipe__product").get(pk=batch.pk)


@pytest.mark.requirement("P11-b1")
def test_the_record_of_a_batch_goes_out_and_comes_back_with_equal_values(made: Batch) -> None:
    expected = batchml_export.record(made, at=NOON)

    content = b2mml.read(batchml_export.document(made, actor=factories.device(), at=NOON))

    (back,) = [one.record for one in content.items if isinstance(one, RecordSaid)]
    assert back == expected
    assert len(back.phases) == made.phases.count() > 0
    assert len(back.parameters) == made.parameters.count() > 0
    assert len(back.materials) == made.materials.count() > 0
    assert len(back.events) == made.events.count() > 0
    assert [(one.net, one.unit) for one in back.charges] == [("10.000000", "mL")]
    assert [(one.value, one.standing) for one in back.entries] == [("7.00", "within")]
    assert [one.results[0].value for one in back.samples] == ["3.10"]


def test_no_name_of_a_person_goes_out(made: Batch) -> None:
    people = [made.issued_by, made.charges.get().performed_by, made.charges.get().verified_by]

    data = batchml_export.document(made, actor=factories.device(), at=NOON).decode()

    for one in people:
        assert one is not None
        assert one.trail_identity().id in data
        assert one.trail_identity().name not in data
        assert one.username not in data
    with pytest.raises(NotPermitted):
        batchml_export.document(made, actor=factories.person(), at=NOON)


@pytest.mark.shared
@pytest.mark.requirement("P11-b1")
def test_the_record_of_a_batch_is_valid_batchml(made: Batch, shared: Path) -> None:
    folder = shared / "data/exchange/b2mml/schema_v0700"
    schema = etree.XMLSchema(etree.parse(folder / "BatchML-BatchProductionRecord.xsd"))
    _, token = factories.device_and_token(DeviceKind.MES)

    answer = _get(token, f"batches/{made.number}/batchml")

    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/xml"
    assert ACKNOWLEDGEMENT.encode() in answer.content
    schema.assertValid(etree.fromstring(answer.content))


def test_a_record_that_went_out_comes_in_and_its_states_are_not_moved_twice(made: Batch) -> None:
    """The batch has started already: that is refused by its own states, and all of it waits."""
    data = batchml_export.document(made, actor=factories.device(), at=NOON)
    before = made.events.count()

    message = posting.received(data, XML)

    assert message.format == "b2mml-batch-production-record"
    assert message.state == "quarantined"
    assert message.report["landed"] == []
    assert made.events.count() == before


def test_a_foreign_record_lands_its_events_in_the_batch_it_names() -> None:
    batch = factories.running_batch()
    data = f"""<BatchProductionRecord xmlns="http://www.wbf.org/xml/BatchML-V0401"><ID>1</ID>
      <BatchID>{batch.number}</BatchID><Events><Event><EntryID>7</EntryID>
      <ObjectType>Event</ObjectType><TimeStamp>2026-03-02T11:59:00Z</TimeStamp>
      <EventType>Alarm</EventType><EventSubType>Process</EventSubType>
      <MessageText>pH low</MessageText></Event></Events></BatchProductionRecord>""".encode()
    source = factories.device(DeviceKind.MES)

    message = posting.received(data, XML, by=source)
    longer = posting.received(data.replace(b"<ID>1<", b"<ID>2<"), XML, by=source)

    assert message.state == longer.state == "mapped", message.report["problems"]
    event = batch.events.get(kind=EventKind.ALARM)
    assert (event.text, event.occurred_text) == ("pH low", "2026-03-02T11:59:00Z")
    # The second record says the same event under the same id: it is known, and not recorded again.
    assert [one["kind"] for one in longer.report["landed"]] == [
        "batch record",
        "event known before",
    ]


def test_a_person_whose_session_is_checked_against_forgery_is_answered_and_nothing_breaks() -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(factories.person(Role.QUALITY_ASSURANCE))
    client.cookies["csrftoken"] = token = "a" * 32

    answer = client.post(
        "/api/v1/messages", LOT, content_type=XML,
        headers={"X-CSRFToken": token, "Idempotency-Key": "m-1"},
    )  # fmt: skip

    assert (answer.status_code, _code(answer)) == (403, "not-permitted")
