"""A body that was cut off on its way is refused, and never taken for a shorter one."""

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.http import UnreadablePostError
from django.test import Client, RequestFactory

from batches.execution.models import BatchEvent, ReadingSegment
from config.whole_bodies import WholeRequest
from tests import factories

LINE = b'{"tag":"temperature_c","at":"2026-03-02T13:00:00Z","value":36.80,"unit":"Cel"}\n'
FORM = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nvalue\r\n--b--\r\n'
Answered = tuple[int, dict[str, Any]]


def _environ(body: bytes, *, announced: int, media_type: str) -> dict[str, Any]:
    request = RequestFactory().post("/", b"a" * announced, content_type=media_type)
    return {**request.environ, "wsgi.input": io.BytesIO(body)}


@pytest.mark.parametrize(
    ("body", "media_type"),
    [(FORM, "multipart/form-data; boundary=b"), (b"a=value", "application/x-www-form-urlencoded")],
)
def test_a_form_is_read_whole_or_not_at_all(body: bytes, media_type: str) -> None:
    whole = WholeRequest(_environ(body, announced=len(body), media_type=media_type))
    assert whole.POST["a"] == "value"

    for cut in range(len(body)):
        request = WholeRequest(_environ(body[:cut], announced=len(body), media_type=media_type))
        with pytest.raises(UnreadablePostError):
            _ = request.POST


def test_lines_are_read_whole_or_not_at_all() -> None:
    body = b"one\ntwo"
    whole = WholeRequest(_environ(body, announced=len(body), media_type="text/plain"))
    assert list(whole) == [b"one\n", b"two"]

    request = WholeRequest(_environ(b"one\ntw", announced=len(body), media_type="text/plain"))
    assert request.readline() == b"one\n"
    with pytest.raises(UnreadablePostError):
        request.readline()


@pytest.fixture
def send(client: Client, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Answered]:
    """Post for a device to a running batch, of which only some bytes arrive."""
    _, token = factories.device_and_token()
    batch = factories.running_batch()
    monkeypatch.setattr("django.test.client.WSGIRequest", WholeRequest)

    def sent(what: str, body: bytes, media_type: str, *, arriving: bytes, **said: str) -> Answered:
        answer = client.post(
            f"/api/v1/batches/{batch.number}/{what}", body, content_type=media_type,
            headers={"Authorization": f"Bearer {token}", "Idempotency-Key": "one-and-the-same"},
            **{"wsgi.input": io.BytesIO(arriving), **said},
        )  # fmt: skip
        return answer.status_code, answer.json()

    return sent


@pytest.mark.django_db
def test_half_of_the_readings_is_not_stored_and_the_whole_is_taken_after_it(
    send: Callable[..., Answered],
) -> None:
    lines = [
        b'{"tag":"temperature_c","at":"2026-03-02T13:00:%02dZ","value":36.80,"unit":"Cel"}\n' % n
        for n in range(10)
    ]
    body = b"".join(lines)
    half = b"".join(lines[:5])

    status, said = send("readings", body, "application/x-ndjson", arriving=half)
    assert (status, said["type"]) == (400, "/problems/parse-error")
    assert not ReadingSegment.objects.exists()

    status, said = send("readings", body, "application/x-ndjson", arriving=body)
    assert (status, said["count"]) == (201, 10)


@pytest.mark.django_db
def test_an_event_whose_padding_is_missing_is_not_stored(send: Callable[..., Answered]) -> None:
    said = {"kind": "observation", "text": "seen", "occurred_at": datetime.now(UTC).isoformat()}
    body = json.dumps(said).encode()
    before = BatchEvent.objects.count()

    status, answer = send("events", body + b" ", "application/json", arriving=body)

    assert (status, answer["type"]) == (400, "/problems/parse-error")
    assert BatchEvent.objects.count() == before


@pytest.mark.django_db
def test_readings_in_chunks_are_stored(send: Callable[..., Answered]) -> None:
    status, said = send("readings", LINE, "application/x-ndjson", arriving=LINE, CONTENT_LENGTH="",
        HTTP_TRANSFER_ENCODING="chunked")  # fmt: skip

    assert (status, said["count"]) == (201, 1)


def test_a_body_in_chunks_is_as_long_as_any_may_be(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("compliance.api_contract.strict_json.MOST_BYTES_NDJSON", 1)

    answer = client.post(
        "/api/v1/batches", b"{}", content_type="application/json", HTTP_TRANSFER_ENCODING="chunked",
        CONTENT_LENGTH="", **{"wsgi.input": io.BytesIO(b"{}")},
    )  # fmt: skip

    assert (answer.status_code, answer.json()["type"]) == (413, "/problems/too-large")
    assert answer.json()["correlation_id"] == answer["X-Correlation-Id"] != ""
