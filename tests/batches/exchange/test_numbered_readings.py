"""A post of readings can be one of its source's numbered records."""

from datetime import timedelta
from typing import Any

import pytest

from batches.exchange.models import SourceRecord
from batches.execution import segments
from batches.execution.models import ReadingSegment
from compliance.access.models import DeviceKind
from tests.batches.exchange.sending import Line

pytestmark = pytest.mark.django_db


def _line() -> Line:
    return Line(kind=DeviceKind.HISTORIAN)


def _post(line: Line, key: str, *values: str, expected: int = 201, **headers: str) -> Any:
    at = line.now - timedelta(minutes=5)
    body = "".join(
        f'{{"tag":"ph","at":"{(at + timedelta(seconds=n)).isoformat()}","value":{value},'
        '"unit":"[pH]"}\n'
        for n, value in enumerate(values)
    )
    answer = line.client.post(
        f"/api/v1/batches/{line.batch.number}/readings", body,
        content_type="application/x-ndjson",
        headers={**line.headers, "Idempotency-Key": key, **headers},
    )  # fmt: skip
    assert answer.status_code == expected, answer.content
    return answer


def _numbered(number: int | str) -> dict[str, str]:
    return {"Source": "hist-7", "Source-Sequence": str(number)}


def test_a_numbered_post_counts_and_has_its_receipt_and_its_gap() -> None:
    line = _line()

    first = _post(line, "m-1", "7.01", "7.02", **_numbered(1)).json()
    third = _post(line, "m-3", "7.01", "7.02", "7.03", **_numbered(3)).json()
    again = _post(line, "m-3", "7.01", "7.02", "7.03", **_numbered(3))

    assert (first["count"], first["next_expected"]) == (2, 2)
    assert (third["count"], third["repeated"], third["next_expected"]) == (1, 2, 2)
    assert again["Idempotency-Replayed"] == "true"
    records = line.get("receipts", source="hist-7", id=["m-1", "m-2", "m-3"])["records"]
    assert [one["is_received"] for one in records] == [True, False, True]
    [version] = records[2]["versions"]
    segment = ReadingSegment.objects.get(pk=third["id"])
    assert version["content_digest"] == segment.content_digest
    assert version["subject"] == f"execution_readingsegment {segment.pk}"
    assert version["flags"] == []
    [gap] = line.get("sources/hist-7/gaps")["results"]
    assert gap["numbers"] == [2]
    segments.verify(segment)


def test_a_post_without_a_source_is_taken_as_ever() -> None:
    line = _line()

    answer = _post(line, "m-1", "7.01").json()

    assert answer["next_expected"] is None
    assert not SourceRecord.objects.exists()


@pytest.mark.parametrize(
    "headers",
    [{"Source-Sequence": "1"}, _numbered(0), _numbered("x"), _numbered(2**53),
     {**_numbered(1), "Sent-At": "now"}],
)  # fmt: skip
def test_headers_that_name_no_number_are_refused_and_nothing_is_stored(
    headers: dict[str, str],
) -> None:
    line = _line()

    _post(line, "m-1", "7.01", expected=400, **headers)

    assert not ReadingSegment.objects.exists()


def test_a_number_that_is_taken_stores_nothing() -> None:
    line = _line()
    _post(line, "m-1", "7.01", **_numbered(1))

    _post(line, "m-2", "7.01", "7.05", expected=409, **_numbered(1))

    assert ReadingSegment.objects.count() == 1
