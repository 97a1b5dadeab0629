"""What the trail costs a single record through the API, beside the same API without a trail."""

import json
import os
import time
from datetime import timedelta

import httpx
from django.db import connection
from django.utils import timezone

from tests import factories
from tests.bench import databases, plant, web
from tests.bench.measuring import Row, compared


def rows(rounds: str, records: str) -> list[Row]:
    """Post events in turns to the product, and to a copy of its database without the captures."""
    name, scratch = os.environ["GMP_BENCH_DATABASE"], os.environ["GMP_BENCH_SCRATCH"]
    begun = timezone.now() - timedelta(minutes=5)
    _, token = plant.historian("single")
    batch = factories.running_batch(at=begun)
    connection.close()
    _copy(name, scratch)
    pairs = []
    before = databases.entries(name)
    with web.serving(name) as audited, web.serving(scratch) as plain:
        with plant.client(audited, token) as ours, plant.client(plain, token) as theirs:
            for turn in range(int(rounds) + 1):
                sides = [(ours, 0), (theirs, 1)] if turn % 2 else [(theirs, 1), (ours, 0)]
                took = {
                    side: _posted(client, batch.number, int(records), turn)
                    for client, side in sides
                }
                if turn:
                    pairs.append((int(records) / took[0], int(records) / took[1]))
    gained = databases.entries(name) - before
    # An event and its receipt: two rows, two entries a record; the copy has gained none.
    if gained < 2 * int(records) * (int(rounds) + 1) or databases.entries(scratch) != before:
        raise SystemExit(f"{gained} entries were written: no figure counts")
    return [compared("single_records", pairs, unit="records/s")]


def _posted(client: httpx.Client, number: str, records: int, turn: int) -> float:
    bodies = [
        json.dumps(
            {"kind": "observation", "occurred_at": timezone.now().isoformat(),
             "text": f"the foam is at {n} cm, and the operator has looked at it twice"}
        )
        for n in range(records)
    ]  # fmt: skip
    began = time.perf_counter()
    for n, content in enumerate(bodies):
        headers = {"Idempotency-Key": f"{turn}-{n}", "Content-Type": "application/json"}
        client.post(f"batches/{number}/events", content=content, headers=headers).raise_for_status()
    return time.perf_counter() - began


def _copy(name: str, scratch: str) -> None:
    """Copy the database, and take the captures off: the rows stay as they are written."""
    databases.drop(scratch)
    with databases.administrator() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
        )
        cursor.execute(f'CREATE DATABASE "{scratch}" TEMPLATE "{name}"')
    with databases.administrator(scratch) as cursor:
        cursor.execute(
            "SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE tgname LIKE 'zz\\_capture%'"
        )
        # In a copy that is thrown away: the log of schema changes has no say there.
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("SELECT evtname FROM pg_event_trigger")
        for (event,) in cursor.fetchall():
            cursor.execute(f"ALTER EVENT TRIGGER {event} DISABLE")
        cursor.execute(
            "SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE tgname LIKE 'zz\\_capture%'"
        )
        for table, trigger in cursor.fetchall():
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {trigger}")
