"""Each version of each record is taken once; the original stays, and what is missing is known."""

import hashlib
import json
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.db.utils import DatabaseError

from batches.exchange import reconciliation, sequences, sources, streams
from batches.exchange.models import Gap, SourceRecord
from batches.exchange.sources import Thresholds, Times
from batches.execution.models import BatchEvent
from batches.laboratory.models import Result
from compliance.access.duties import Role
from compliance.trail.models import Refusal
from tests import factories
from tests.batches.exchange.sending import Line, lines, outcomes, registered
from tests.factories import NOON

pytestmark = pytest.mark.django_db


@pytest.mark.requirement("A11-5")
def test_a_record_sent_again_is_answered_as_before_and_recorded_once() -> None:
    line = Line()

    first = lines(line.send(line.said(1)))[0]
    again = lines(line.send(line.said(1, sent_at=line.now.isoformat())))[0]

    assert (first["outcome"], again["outcome"]) == ("accepted", "repeated")
    assert {**again, "outcome": "accepted"} == first
    assert SourceRecord.objects.count() == 1
    assert BatchEvent.objects.filter(kind="observation").count() == 1


@pytest.mark.requirement("A11-5")
def test_the_same_version_with_other_content_is_refused() -> None:
    line = Line()
    lines(line.send(line.said(1)))

    answer = line.send(line.said(2, id="R-1"))

    assert answer.status_code == 422
    problem = answer.json()
    assert problem["errors"][0]["code"] == "version-differs"
    assert SourceRecord.objects.count() == 1


def test_a_correction_is_the_next_version_with_reason_and_person_and_the_original_stays() -> None:
    line = Line()
    lines(line.send(line.said(1)))
    original = BatchEvent.objects.get(kind="observation")
    data = {"kind": "observation", "text": "the foam was at 12 cm"}

    unexplained = line.send(line.said(2, id="R-1", version=2, data=data))
    taken = line.send(
        line.said(2, id="R-1", version=2, data=data, reason="the foam was read from the wrong scale",
                  corrected_by="A. Keller")
    )  # fmt: skip

    assert unexplained.status_code == 422
    assert outcomes(taken) == ["accepted"]
    first, second = SourceRecord.objects.order_by("version")
    assert second.previous == first
    assert (second.reason, second.corrected_by) == (
        "the foam was read from the wrong scale", "A. Keller",
    )  # fmt: skip
    original.refresh_from_db()
    assert original.text == "seen as number 1"
    corrected = BatchEvent.objects.get(text="the foam was at 12 cm")
    assert corrected.details["corrects"]["id"] == "R-1"


@pytest.mark.parametrize("version", [2, 3])
def test_a_version_without_the_one_before_it_is_refused(version: int) -> None:
    line = Line()

    answer = line.send(
        line.said(1, version=version, reason="read from another scale", corrected_by="A. Keller")
    )

    assert answer.json()["errors"][0]["code"] == "version-out-of-order"


def test_the_database_takes_no_version_that_follows_another_record() -> None:
    line = Line()
    lines(line.send(line.said(1), line.said(2)))
    other = SourceRecord.objects.get(record_id="R-2")

    with pytest.raises(DatabaseError, match="follows the one before"), factories.acting("forged"):
        SourceRecord.objects.create(
            source=line.source, record_id="R-1", version=2, previous=other, reason="it is forged",
            corrected_by="M", kind="event", content="", content_digest="0" * 64, observed_text="",
            observed_at=NOON, received_at=NOON, recorded_at=NOON, subject="x 1",
        )  # fmt: skip


@pytest.mark.parametrize("statement", ["UPDATE {} SET reason = 'x'", "DELETE FROM {}"])
def test_what_a_source_sent_is_neither_altered_nor_deleted(statement: str) -> None:
    line = Line()
    lines(line.send(line.said(1)))

    with pytest.raises(DatabaseError), factories.acting("forged"), connection.cursor() as cursor:
        cursor.execute(statement.format("exchange_sourcerecord"))


@pytest.mark.parametrize(
    ("observed", "sent", "flags"),
    [
        (timedelta(minutes=1), timedelta(seconds=2), []),
        (timedelta(minutes=15), timedelta(seconds=2), []),
        (timedelta(minutes=16), timedelta(seconds=2), ["late"]),
        (timedelta(minutes=61), timedelta(seconds=2), ["late", "backfilled"]),
        (timedelta(minutes=1), timedelta(seconds=61), ["clock-suspect"]),
        (timedelta(minutes=1), -timedelta(seconds=61), ["clock-suspect"]),
        (-timedelta(seconds=61), None, ["clock-suspect"]),
        (timedelta(seconds=-59), None, []),
        (timedelta(seconds=-50), timedelta(seconds=30), ["clock-suspect"]),
    ],
)
def test_times_are_judged_by_the_thresholds_of_the_source(
    observed: timedelta, sent: timedelta | None, flags: list[str]
) -> None:
    source = registered(factories.device(), at=NOON)

    judged = sources.judge(
        source, Times(NOON - observed, None if sent is None else NOON - sent, NOON)
    )

    named = {"late": judged.is_late, "backfilled": judged.is_backfilled,
             "clock-suspect": judged.is_clock_suspect}  # fmt: skip
    assert [name for name, is_set in named.items() if is_set] == flags
    assert bool(judged.doubts) == ("clock-suspect" in flags)


def test_the_four_times_are_kept_with_the_offset_as_sent() -> None:
    line = Line()
    observed = (line.now - timedelta(minutes=20)).astimezone(tz=ZoneInfo("Asia/Kolkata"))
    sent_at = line.now - timedelta(seconds=1)

    lines(line.send(line.said(1, observed_at=observed.isoformat(), sent_at=sent_at.isoformat())))

    record = SourceRecord.objects.get()
    assert record.observed_text == observed.isoformat()
    assert record.observed_text.endswith("+05:30")
    assert record.observed_at == observed
    assert record.sent_at == sent_at
    assert sent_at < record.received_at <= record.recorded_at
    assert record.flags == ["late"]


def test_thresholds_change_with_a_reason_for_what_comes_from_then_on() -> None:
    line = Line()
    lines(line.send(line.said(1)))
    administrator = factories.person(Role.SYSTEM_ADMINISTRATOR, at=line.begun)

    with pytest.raises(sources.ThresholdsInvalid):
        sources.change_thresholds(
            line.source, thresholds=Thresholds(900, 800, 60), actor=administrator, at=line.now,
            reason="the line buffers for a day",
        )  # fmt: skip
    sources.change_thresholds(
        line.source, thresholds=Thresholds(30, 60, 60), actor=administrator, at=line.now,
        reason="the line is watched closely",
    )  # fmt: skip
    lines(line.send(line.said(2)))

    flags = [record.flags for record in SourceRecord.objects.order_by("sequence")]
    assert flags[0] == []
    assert "late" in flags[1]


@pytest.mark.requirement("A11-5")
def test_the_answer_names_the_next_number_and_gaps_are_listed_until_they_close_late() -> None:
    line = Line()

    answer = line.send(line.said(1), line.said(2), line.said(6))
    assert answer["Next-Expected-Sequence"] == "3"
    [gap] = line.get("sources/hist-7/gaps")["results"]
    assert (gap["first"], gap["last"], gap["numbers"]) == (3, 5, [3, 4, 5])
    assert gap["state"] == "open"

    assert line.send(line.said(3), line.said(5))["Next-Expected-Sequence"] == "4"
    [gap] = line.get("sources/hist-7/gaps", open="true")["results"]
    assert (gap["missing"], gap["numbers"]) == (1, [4])

    assert line.send(line.said(4))["Next-Expected-Sequence"] == "7"
    assert line.get("sources/hist-7/gaps", open="true")["results"] == []
    [gap] = line.get("sources/hist-7/gaps")["results"]
    assert gap["state"] == "closed"
    assert gap["closed_at"] > gap["opened_at"]
    assert line.get("sources/hist-7")["next_expected"] == 7


def test_a_number_is_taken_once_and_not_from_far_away() -> None:
    line = Line()
    lines(line.send(line.said(1)))

    taken = line.send(line.said(1, id="R-other"))
    far = line.send(line.said(sequences.FURTHEST + 2, id="R-far"))

    assert taken.json()["errors"][0]["code"] == "sequence-taken"
    assert far.json()["errors"][0]["code"] == "sequence-too-far"


def test_a_person_explains_what_will_never_come() -> None:
    line = Line()
    lines(line.send(line.said(1), line.said(3)))
    gap = Gap.objects.get()
    quality = factories.person(Role.QUALITY_ASSURANCE, at=line.begun)

    sequences.explain(gap, reason="the buffer of the gateway was lost", actor=quality, at=line.now)

    assert sequences.standing(line.source).next_expected == 4
    with pytest.raises(sequences.GapClosed):
        sequences.explain(gap, reason="it was lost once more", actor=quality, at=line.now)
    assert outcomes(line.send(line.said(2))) == ["accepted"]
    gap.refresh_from_db()
    assert gap.state == "closed"


@pytest.mark.parametrize("change", ["missing = 0, closed_at = now()", "last = last - 1"])
def test_the_database_closes_no_gap_whose_numbers_have_not_come(change: str) -> None:
    line = Line()
    lines(line.send(line.said(1), line.said(4)))

    with pytest.raises(DatabaseError), factories.acting("forged"), connection.cursor() as cursor:
        cursor.execute(f"UPDATE exchange_gap SET {change}")


def test_strict_lines_are_taken_all_or_none_and_every_faulty_one_is_named() -> None:
    line = Line()
    faulty = [
        line.said(2, batch="B-none"),
        line.said(3, unknown=1),
        b"{",
        line.said(4, data={"kind": "never"}),
        line.said(5, observed_at="2026-03-29T02:30:00"),
    ]

    answer = line.send(line.said(1), *faulty, line.said(6), handling="strict")

    assert answer.status_code == 422
    problem = answer.json()
    assert problem["type"].endswith("lines-refused")
    assert [error["line"] for error in problem["errors"]] == ["2", "3", "4", "5", "6"]
    assert [error["pointer"] for error in problem["errors"]][1] == "/2/unknown"
    assert SourceRecord.objects.count() == 0
    assert BatchEvent.objects.filter(kind="observation").count() == 0


def test_lenient_lines_are_taken_each_by_itself_and_what_is_refused_is_on_record() -> None:
    line = Line()

    answer = line.send(
        line.said(1), line.said(2, batch="B-none"), b"nonsense", line.said(3), line.said(1),
        handling="lenient",
    )  # fmt: skip

    assert answer.status_code == 200
    assert answer["Preference-Applied"] == "handling=lenient"
    *results, last = lines(answer)
    assert [one["outcome"] for one in results] == [
        "accepted", "refused", "refused", "accepted", "repeated",
    ]  # fmt: skip
    assert [one["line"] for one in results] == [1, 2, 3, 4, 5]
    assert (results[1]["code"], results[1]["status"]) == ("not-found", 404)
    assert results[1]["id"] == "R-2"
    assert last["summary"] == {
        "accepted": 2, "repeated": 1, "refused": 2, "next_expected": 2, "highest": 3,
    }  # fmt: skip
    assert Refusal.objects.using("outside").filter(action="exchange.line").count() == 2


def test_a_handling_that_is_neither_is_refused() -> None:
    line = Line()

    assert line.send(line.said(1), handling="loose").status_code == 400


def test_a_source_is_brought_by_its_own_device_only() -> None:
    line, other = Line(), Line(code="hist-8")

    answer = other.client.post(
        "/api/v1/sources/hist-7/records", b"{}", content_type="application/x-ndjson",
        headers=other.headers,
    )  # fmt: skip
    unknown = other.client.get("/api/v1/sources/hist-9", headers=other.headers)
    read = other.client.get(f"/api/v1/sources/{line.code}/gaps", headers=other.headers)

    assert (answer.status_code, read.status_code, unknown.status_code) == (403, 403, 404)
    listed = other.get("sources")["results"]
    assert [one["source"] for one in listed] == ["hist-8"]


@pytest.mark.requirement("A11-5")
def test_both_sides_compute_the_same_books() -> None:
    line = Line()
    sent = [line.said(n, id=name) for n, name in ((1, "b"), (2, "ä"), (3, "a"), (5, "B"))]
    lines(line.send(*sent))

    def own(chosen: list[dict[str, Any]]) -> str:
        rolled = bytes(32)
        for one in chosen:
            said = {k: v for k, v in one.items() if k not in ("sequence", "sent_at")}
            content = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
            digest = hashlib.sha256(content.encode()).hexdigest()
            rolled = hashlib.sha256(rolled + f"{one['id']}\n1\n{digest}\n".encode()).digest()
        return rolled.hex()

    by_number = line.get("sources/hist-7/reconciliation", first=1, last=3)
    day = {"from": line.begun.isoformat(), "to": line.now.isoformat()}
    by_time = line.get("sources/hist-7/reconciliation", **day)

    assert by_number == {"count": 3, "rolling_hash": own(sent[:3])}
    in_bytes = sorted(sent, key=lambda one: one["id"].encode())
    assert by_time == {"count": 4, "rolling_hash": own(in_bytes)}


BOTH = {"first": 1, "last": 2, "from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z"}


@pytest.mark.parametrize("window", [{}, {"first": 1}, BOTH])
def test_a_window_is_of_numbers_or_of_times(window: dict[str, Any]) -> None:
    line = Line()

    answer = line.client.get("/api/v1/sources/hist-7/reconciliation", window, headers=line.headers)

    assert answer.status_code == 422
    assert answer.json()["type"].endswith(reconciliation.WindowInvalid.code)


def test_a_result_and_its_correction_go_in_as_versions_of_one_record() -> None:
    line = Line()
    sample = factories.sample(line.batch, at=line.begun)
    data = {"sample": sample.number, "tag": "mab_g_l", "value": "3.10", "unit": "g/L"}

    lines(line.send(line.said(1, id="LIMS-1", kind="result", data=data)))
    answer = line.send(
        line.said(2, id="LIMS-1", kind="result", version=2, data={**data, "value": "3.15"},
                  reason="the dilution was entered wrong", corrected_by="B. Sommer")
    )  # fmt: skip

    assert outcomes(answer) == ["accepted"]
    kept = Result.objects.order_by("version").values_list("version", "value_text", "reason")
    assert list(kept) == [
        (1, "3.10", ""), (2, "3.15", "the dilution was entered wrong"),
    ]  # fmt: skip


def test_a_moved_batch_is_not_moved_again_by_a_correction() -> None:
    line = Line()
    phase = {"kind": "batch-ended"}
    lines(line.send(line.said(1, data=phase)))

    answer = line.send(
        line.said(2, id="R-1", version=2, data=phase, reason="the end was an hour later",
                  corrected_by="A. Keller")
    )  # fmt: skip

    assert answer.json()["errors"][0]["code"] == "event-invalid"


def test_what_the_line_says_is_not_said_again_in_its_data() -> None:
    line = Line()
    data = {"kind": "observation", "text": "seen", "occurred_at": line.now.isoformat()}

    assert line.send(line.said(1, data=data)).json()["errors"][0]["code"] == "member-twice"


def test_content_is_digested_without_what_sending_again_changes() -> None:
    said: dict[str, Any] = {"id": "ä", "sequence": 4, "sent_at": "x", "b": [1, "2"], "a": None}

    assert streams.content_of(said) == '{"a":null,"b":[1,"2"],"id":"ä"}'.encode()
