"""Many clients post single audited records at once: a minute's rate, and a burst of 400."""

import http.client
import json
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from django.db import connection
from django.utils import timezone

from tests import factories
from tests.bench import databases, plant, web
from tests.bench.measuring import Row, share

CLIENTS, BURST, BURST_CLIENTS = 8, 400, 40


class _Client(threading.local):
    """One connection for each thread, kept open."""

    connection: http.client.HTTPConnection | None = None


class _Poster:
    """Posts events of one batch; each is one transaction, with its receipt and its entries."""

    def __init__(self, address: str, token: str, number: str) -> None:
        self._place = urlsplit(address).netloc
        self._path = f"/api/v1/batches/{number}/events"
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._client = _Client()

    def post(self, key: str) -> float:
        """Return how long the answer took, in seconds; end the measurement on a refusal."""
        if self._client.connection is None:
            self._client.connection = http.client.HTTPConnection(self._place, timeout=60)
        said = {"kind": "observation", "occurred_at": timezone.now().isoformat(), "text": key}
        headers = {**self._headers, "Idempotency-Key": key}
        began = time.perf_counter()
        self._client.connection.request("POST", self._path, json.dumps(said), headers)
        answer = self._client.connection.getresponse()
        body = answer.read()
        if answer.status != http.client.CREATED:
            raise SystemExit(f"{key}: {answer.status} {body[:300]!r}: no figure counts")
        return time.perf_counter() - began


def rows(records: str) -> list[Row]:
    """Post by eight clients as fast as they are answered; then 400 posts by forty at once."""
    count = int(records)
    _, token = plant.historian("concurrent")
    batch = factories.running_batch(at=timezone.now())
    connection.close()
    name = os.environ["GMP_BENCH_DATABASE"]
    before = databases.entries(name)
    with web.serving(name, workers=2) as address:
        poster = _Poster(address, token, batch.number)
        _posted(poster, "warm", 100, CLIENTS)
        took, times = _posted(poster, "sustained", count, CLIENTS)
        burst_took, burst_times = _posted(poster, "burst", BURST, BURST_CLIENTS)
    # An event and its receipt: two entries a record; and some more, where a moment is flagged.
    if (gained := databases.entries(name) - before) < 2 * (100 + count + BURST):
        raise SystemExit(f"{gained} entries were written: no figure counts")
    return [
        Row("concurrent_records", count / took, "records/s"),
        Row("concurrent_p95", share(times) * 1000, "ms"),
        Row("burst_of_400", BURST / burst_took, "records/s"),
        Row("burst_p95", share(burst_times) * 1000, "ms"),
    ]


def _posted(poster: _Poster, name: str, count: int, clients: int) -> tuple[float, list[float]]:
    """Return the seconds that all of them took together, and each by itself."""
    with ThreadPoolExecutor(clients) as pool:
        began = time.perf_counter()
        times = list(pool.map(poster.post, (f"{name}-{n}" for n in range(count))))
        return time.perf_counter() - began, times
