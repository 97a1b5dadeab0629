"""Single audited records of many clients at once: a minute's rate, and 400 in a burst, in two ways.

Each record is a transaction of its own in both: posts of one record by forty clients, and four
deliveries of 100 lines by four sources that were cut off (`Prefer: handling=lenient`).
"""

import json
import os
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import urlsplit

from django.db import connection
from django.utils import timezone

from batches.execution.models import Batch
from compliance.access.models import Device
from tests import factories
from tests.batches.exchange.sending import registered
from tests.bench import databases, plant, web
from tests.bench.measuring import Row, share

CLIENTS, BURST, BURST_CLIENTS, SOURCES = 8, 400, 40, 4
WARM = 100  # not measured


class _Client(threading.local):
    """One connection for each thread, kept open."""

    connection: socket.socket | None = None


class _Poster:
    """Posts requests that were made before: the clock is for the server, on the same two cores."""

    def __init__(self, address: str, token: str, batch: Batch) -> None:
        self._place = urlsplit(address)
        self._path = f"/api/v1/batches/{batch.number}/events"
        self._token = token
        self._client = _Client()

    def request(self, key: str) -> bytes:
        """Return the bytes of a post of one event under this key."""
        said = {"kind": "observation", "occurred_at": timezone.now().isoformat(), "text": key}
        content = json.dumps(said)
        return (
            f"POST {self._path} HTTP/1.1\r\nHost: {self._place.netloc}\r\n"
            f"Authorization: Bearer {self._token}\r\nIdempotency-Key: {key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n{content}"
        ).encode()

    def post(self, request: bytes) -> float:
        """Return how long the answer took, in seconds; end the measurement on a refusal."""
        if self._client.connection is None:
            address = (str(self._place.hostname), int(self._place.port or 80))
            self._client.connection = socket.create_connection(address, timeout=60)
        began = time.perf_counter()
        self._client.connection.sendall(request)
        answer = self._client.connection.recv(65_536)
        while not _is_whole(answer):
            answer += self._client.connection.recv(65_536)
        if not answer.startswith(b"HTTP/1.1 201 "):
            raise SystemExit(f"{answer[:500]!r}: no figure counts")
        return time.perf_counter() - began


def _is_whole(answer: bytes) -> bool:
    head, found, body = answer.partition(b"\r\n\r\n")
    _, _, length = head.lower().partition(b"\r\ncontent-length:")
    return bool(found) and len(body) >= int(length.split(b"\r\n", 1)[0])


def rows(records: str) -> list[Row]:
    """Post by eight clients as fast as they are answered; then the two bursts."""
    count = int(records)
    device, token = plant.historian("concurrent")
    begun = timezone.now() - timedelta(minutes=5)
    batch = factories.running_batch(at=begun)
    for number in range(SOURCES):
        registered(Device.objects.get(pk=device), f"bench-{number}", at=begun)
    connection.close()
    name = os.environ["GMP_BENCH_DATABASE"]
    before = databases.entries(name)
    with web.serving(name, workers=2) as address:
        poster = _Poster(address, token, batch)
        _posted(poster, "warm", WARM, CLIENTS)
        took, times = _posted(poster, "sustained", count, CLIENTS)
        burst_took, burst_times = _posted(poster, "burst", BURST, BURST_CLIENTS)
        _delivered(address, token, batch, first=1, count=WARM)
        delivered = _delivered(address, token, batch, first=1 + WARM // SOURCES, count=BURST)
    # A record and its receipt: two entries; and some more, where a moment is flagged.
    if (gained := databases.entries(name) - before) < 2 * (2 * WARM + count + 2 * BURST):
        raise SystemExit(f"{gained} entries were written: no figure counts")
    return [
        Row("concurrent_records", count / took, "records/s"),
        Row("concurrent_p95", share(times) * 1000, "ms"),
        Row("burst_of_400", BURST / burst_took, "records/s"),
        Row("burst_p95", share(burst_times) * 1000, "ms"),
        Row("burst_of_lines", BURST / delivered, "records/s"),
    ]


def _posted(poster: _Poster, name: str, count: int, clients: int) -> tuple[float, list[float]]:
    """Return the seconds that all of them took together, and each by itself."""
    requests = [poster.request(f"{name}-{n}") for n in range(count)]
    with ThreadPoolExecutor(clients) as pool:
        began = time.perf_counter()
        times = list(pool.map(poster.post, requests))
        return time.perf_counter() - began, times


def _delivered(address: str, token: str, batch: Batch, *, first: int, count: int) -> float:
    """Deliver lines by all sources at once; return the seconds until the last was answered."""
    each = range(first, first + count // SOURCES)
    bodies = [_lines(batch, f"D{number}", each) for number in range(SOURCES)]
    headers = {"Content-Type": "application/x-ndjson", "Prefer": "handling=lenient"}

    def deliver(number: int) -> int:
        with plant.client(address, token) as client:
            path = f"sources/bench-{number}/records"
            answer = client.post(path, content=bodies[number], headers=headers)
        return int(json.loads(answer.text.splitlines()[-1])["summary"]["accepted"])

    with ThreadPoolExecutor(SOURCES) as pool:
        began = time.perf_counter()
        accepted = list(pool.map(deliver, range(SOURCES)))
        took = time.perf_counter() - began
    if sum(accepted) != count:
        raise SystemExit(f"{accepted} lines were accepted: no figure counts")
    return took


def _lines(batch: Batch, name: str, numbers: range) -> bytes:
    observed = (timezone.now() - timedelta(minutes=1)).isoformat()
    return b"".join(
        json.dumps(
            {"id": f"{name}-{n}", "sequence": n, "kind": "event", "batch": batch.number,
             "observed_at": observed, "data": {"kind": "observation", "text": f"{name}-{n}"}}
        ).encode() + b"\n"
        for n in numbers
    )  # fmt: skip
