"""The feed follows the sealed log: in order, without a gap, and it says how much it leaves out."""

from typing import Any

import pytest

from batches.exchange import changes, sources
from batches.exchange.changes import Filter, Reader
from batches.execution.models import EventKind
from compliance.access.duties import Role
from compliance.access.models import DeviceKind
from compliance.trail.models import Entry
from tests import factories, trail_log
from tests.batches.exchange.sending import registered
from tests.conftest import FreshLog
from tests.factories import NOON

ALL = Reader(sees_all=True)


def _pages(by: Reader, wanted: Filter | None = None, *, limit: int = 7) -> list[changes.Page]:
    after, found = "", []
    while True:
        page = changes.read(after, limit=limit, wanted=wanted or Filter(), by=by)
        found.append(page)
        if not page.has_more:
            return found
        after = page.cursor


@pytest.mark.django_db
def test_what_is_not_sealed_is_not_told_and_a_cursor_beyond_the_end_is_refused() -> None:
    factories.batch()

    page = changes.read("", limit=10, wanted=Filter(), by=ALL)

    assert (page.events, page.cursor, page.has_more) == ([], "", False)
    for wrong in ("1.99999", "2.1", "x", "1", "01.1", "1.-1"):
        with pytest.raises(changes.CursorInvalid):
            changes.read(wrong, limit=10, wanted=Filter(), by=ALL)


def test_the_feed_is_the_log(fresh_log: FreshLog) -> None:
    mine = factories.device(DeviceKind.HISTORIAN)
    theirs = factories.device(DeviceKind.HISTORIAN)
    registered(mine, "mine", at=NOON)
    registered(theirs, "theirs", at=NOON)
    batch = factories.running_batch()
    size = trail_log.seal_and_sign()
    factories.happened(batch, EventKind.OBSERVATION, text="not sealed yet")

    # All of it, for a person who may see entries.
    pages = _pages(changes.reader(factories.person(Role.QUALITY_ASSURANCE)))
    events = [event for page in pages for event in page.events]
    assert [event["id"] for event in events] == [f"1.{index}" for index in range(size)]
    sequences = [event["sequence"] for event in events]
    assert sequences == sorted(set(sequences))
    entries = list(Entry.objects.filter(index__isnull=False).order_by("index"))
    assert [event["data"]["entry_digest"] for event in events] == [
        bytes(entry.digest or b"").hex() for entry in entries
    ]
    for event in events:
        _demand_cloud_event(event)
    after = changes.read(pages[-1].cursor, limit=9, wanted=Filter(), by=ALL)
    assert (after.events, after.cursor, after.first) == ([], pages[-1].cursor, None)

    # What is filtered or withheld is counted: nothing is missing unsaid.
    device = changes.reader(mine)
    wanted = Filter(["execution_batch", "exchange_source.insert"])
    next_leaf = 0
    found: list[dict[str, Any]] = []
    for page in _pages(device, wanted, limit=2):
        if page.first is None or page.last is None:
            continue
        assert page.first == next_leaf
        omitted = page.filtered + page.withheld + page.unavailable
        assert len(page.events) + omitted == page.last - page.first + 1
        next_leaf = page.last + 1
        found += page.events
    assert next_leaf == size
    assert [event["type"] for event in found] == [
        "gmp.exchange_source.insert", "gmp.execution_batch.insert", "gmp.execution_batch.update",
    ]  # fmt: skip
    assert found[0]["data"]["new"]["code"] == "mine"

    # One record.
    of_one = _pages(ALL, Filter(record=f"execution_batch/{batch.pk}"))
    assert [one["data"]["op"] for page in of_one for one in page.events] == ["insert", "update"]

    # No device learns of accounts and tokens.
    read = {event["data"]["record"] for page in _pages(device) for event in page.events}
    assert not [table for table in read if table.startswith(("access_", "signin_", "trail_"))]
    assert "execution_batchevent" in read
    with pytest.raises(sources.SourceNotYours):
        sources.of_device("theirs", mine)


def _demand_cloud_event(event: dict[str, Any]) -> None:
    """CloudEvents 1.0.2, 3.1 and the JSON format: required attributes, names of extensions."""
    for name in ("id", "source", "specversion", "type"):
        assert isinstance(event[name], str)
        assert event[name]
    assert event["specversion"] == "1.0"
    assert event["time"].endswith("Z")
    assert all(name.isascii() and name.islower() and name.isalnum() for name in event)
    assert isinstance(event["data"], dict)


@pytest.mark.django_db
def test_the_feed_over_the_api_is_for_people_and_devices() -> None:
    from django.test import Client

    _, token = factories.device_and_token()
    client = Client()
    headers = {"Authorization": f"Bearer {token}"}

    answer = client.get("/api/v1/feed", {"limit": 5}, headers=headers)

    assert answer.status_code == 200
    assert answer.json()["omitted"] == {"filtered": 0, "withheld": 0, "unavailable": 0}
    assert client.get("/api/v1/feed").status_code in (401, 403)
    assert client.get("/api/v1/feed", {"limit": 1001}, headers=headers).status_code == 422
    assert client.get("/api/v1/feed", {"aftre": "1.1"}, headers=headers).status_code == 400
