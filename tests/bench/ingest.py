"""What HTTP and the trail cost beside COPY: 5,000-row posts, and the same rows without any of it."""

import os
import statistics
import time
from datetime import timedelta
from decimal import Decimal

import httpx
from django.db import connection

from batches.execution import readings
from batches.execution.models import Batch, ReadingSegment
from batches.execution.sample_bytes import Reading
from compliance.access.models import Device
from tests import factories
from tests.bench import plant, web
from tests.bench.measuring import Row, compared, share
from tests.bench.plant import BEGUN, ROWS

POSTS = 8  # a round


def rows(rounds: str) -> list[Row]:
    """Post and copy in turns; each side into a batch of its own, in the same table."""
    _, token = plant.historian("ingest")
    posted, copied = factories.running_batch(at=BEGUN), factories.running_batch(at=BEGUN)
    segment = _segment(copied)
    pairs, times = [], []
    with web.serving(os.environ["GMP_BENCH_DATABASE"]) as address:
        with plant.client(address, token) as client:
            for turn in range(int(rounds) + 1):
                first = turn * POSTS * ROWS
                bodies = [plant.body(first + n * ROWS) for n in range(POSTS)]
                texts = [
                    plant.copied(first + n * ROWS, segment=segment, batch=copied.pk)
                    for n in range(POSTS)
                ]
                order = (True, False) if turn % 2 else (False, True)
                took = {
                    is_http: _posted(client, posted, bodies, turn) if is_http else _copied(texts)
                    for is_http in order
                }
                if turn:  # the first round warms up
                    pairs.append((POSTS * ROWS / sum(took[True]), POSTS * ROWS / sum(took[False])))
                    times += took[True]
            again = _posted(client, posted, [plant.body(n * ROWS) for n in range(POSTS)], 10**6)
    _demand_count(posted, (int(rounds) + 1) * POSTS * ROWS)
    return [
        compared("http_beside_copy", pairs, unit="rows/s"),
        Row("post_p95", share(times) * 1000, "ms"),
        Row("duplicates", POSTS * ROWS / sum(again), "rows/s"),
        Row("post_median", statistics.median(times) * 1000, "ms"),
    ]


def _segment(batch: Batch) -> int:
    """Return a segment for what is copied in: the table demands that there is one."""
    made = readings.store(
        batch,
        rows=[Reading("ph", BEGUN - timedelta(seconds=1), Decimal("7"), "[pH]")],
        message_id="of-the-copy",
        source=Device.objects.latest("pk"),
        content_digest="0" * 64,
        at=BEGUN,
    )
    return ReadingSegment.objects.get(pk=made.pk).pk


def _posted(client: httpx.Client, batch: Batch, bodies: list[bytes], turn: int) -> list[float]:
    took = []
    for number, content in enumerate(bodies):
        headers = {
            "Idempotency-Key": f"{turn}-{number}",
            "Content-Type": "application/x-ndjson",
        }
        before = time.perf_counter()
        answer = client.post(f"batches/{batch.number}/readings", content=content, headers=headers)
        took.append(time.perf_counter() - before)
        answer.raise_for_status()
    return took


def _copied(texts: list[bytes]) -> list[float]:
    took = []
    for text in texts:
        before = time.perf_counter()
        with (
            connection.cursor() as cursor,
            cursor.copy(
                "COPY execution_reading (segment_id, position, batch_id, tag, observed_at, value, "
                "unit) FROM STDIN"
            ) as copy,
        ):
            copy.write(text)
        took.append(time.perf_counter() - before)
    return took


def _demand_count(batch: Batch, expected: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM execution_reading WHERE batch_id = %s", [batch.pk])
        (count,) = cursor.fetchone()
    if count != expected:
        raise SystemExit(f"{count} readings are stored of {expected}: no figure counts")
