"""A source that was away sends a day at once, beside others that go on; and a long series is read."""

import json
import os
import threading
import time
from dataclasses import dataclass, field
from datetime import timedelta

import httpx
from django.utils import timezone

from batches.execution.models import Batch
from tests import factories
from tests.bench import plant, web
from tests.bench.measuring import Row, share
from tests.bench.plant import BEGUN, ROWS

LIVE_EVERY_S = 0.2
LONG = 340_000  # samples of one tag
READS = 9


@dataclass
class Live:
    """Events that go on beside, each timed."""

    client: httpx.Client
    batch: Batch
    took: list[float] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        number = 0
        while not self.ended.is_set():
            number += 1
            content = json.dumps(
                {"kind": "observation", "occurred_at": timezone.now().isoformat(), "text": "live"}
            )
            headers = {"Idempotency-Key": f"live-{number}", "Content-Type": "application/json"}
            began = time.perf_counter()
            answer = self.client.post(
                f"batches/{self.batch.number}/events", content=content, headers=headers
            )
            answer.raise_for_status()
            self.took.append(time.perf_counter() - began)
            self.ended.wait(max(0.0, LIVE_EVERY_S - self.took[-1]))


def rows(count: str) -> list[Row]:
    """Backfill so many rows beside live events, then read a series of 340,000 samples."""
    posts = max(1, int(count) // ROWS)
    _, token = plant.historian("backfill")
    late = factories.running_batch(at=BEGUN)
    running = factories.running_batch(at=timezone.now() - timedelta(minutes=1))
    with web.serving(os.environ["GMP_BENCH_DATABASE"], workers=2) as address:
        with plant.client(address, token) as client, plant.client(address, token) as other:
            live = Live(other, running)
            thread = threading.Thread(target=live.run)
            thread.start()
            try:
                took = _backfilled(client, late, posts)
            finally:
                live.ended.set()
                thread.join()
            return [
                Row("backfill_rate", posts * ROWS / took, "rows/s"),
                Row("backfill_of_4_3_m", 4_320_000 / (posts * ROWS / took), "s"),
                Row("live_p95", share(live.took) * 1000, "ms"),
                Row("live_median", share(live.took, 0.5) * 1000, "ms"),
                *_read(client),
            ]


def _backfilled(client: httpx.Client, batch: Batch, posts: int) -> float:
    took = 0.0
    for number in range(posts):
        content = plant.body(number * ROWS)
        headers = {"Idempotency-Key": f"day-{number}", "Content-Type": "application/x-ndjson"}
        began = time.perf_counter()
        answer = client.post(f"batches/{batch.number}/readings", content=content, headers=headers)
        took += time.perf_counter() - began
        answer.raise_for_status()
    return took


def _read(client: httpx.Client) -> list[Row]:
    batch = factories.running_batch(at=BEGUN)
    for first in range(0, 2 * LONG, 50_000):  # every second one is of the tag
        content = plant.body(first, min(50_000, 2 * LONG - first))
        headers = {"Idempotency-Key": f"long-{first}", "Content-Type": "application/x-ndjson"}
        client.post(
            f"batches/{batch.number}/readings", content=content, headers=headers
        ).raise_for_status()
    times = []
    for _ in range(READS):
        began = time.perf_counter()
        answer = client.get(
            f"batches/{batch.number}/readings", params={"tag": "temperature_c", "points": 2000}
        ).json()
        times.append(time.perf_counter() - began)
        if answer["count"] != LONG or not answer["is_thinned"]:
            raise SystemExit(f"{answer['count']} samples were read: no figure counts")
    return [Row("read_340000", share(times, 0.5) * 1000, "ms", spread=(min(times) * 1000,
                max(times) * 1000))]  # fmt: skip
