"""Measure what reading the trail costs in a log of the present size: first pages, and one proof."""

import random
import statistics
import time
from collections.abc import Callable
from datetime import timedelta

from django.db import connection

from compliance.trail import stored, timeline
from compliance.trail.models import Entry
from compliance.trail.stored import LOG_ID
from compliance.trail.timeline import Asked
from compliance.trail.tlog import merkle
from tests.bench.measuring import Row

AROUND = timedelta(minutes=30)


def timeline_growth(*, rounds: int = 30, seed: int = 1) -> list[Row]:
    """Return median milliseconds for random entries of the log that is there, all sealed.

    The time of a page includes its bodies. Nothing here may grow with the log but by its logarithm.
    """
    chosen = _entries(rounds, random.Random(seed))
    size = _size()
    ways: dict[str, Callable[[Entry], object]] = {
        "record_ms": lambda one: timeline.page(Asked(record=one.record, record_id=one.record_id)),
        "person_ms": lambda one: timeline.page(Asked(actor=one.actor)),
        "period_ms": lambda one: timeline.page(Asked(start=one.at - AROUND, end=one.at + AROUND)),
        "proof_ms": lambda one: _proof(one, size),
    }
    return [
        Row("entries", size, "entries"),
        *(Row(name, _median(way, chosen), "ms") for name, way in ways.items()),
    ]


def _entries(count: int, chance: random.Random) -> list[Entry]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT entry_id FROM audit.leaf WHERE log_id = %s AND idx = ANY(%s)",
            [LOG_ID, [chance.randrange(_size()) for _ in range(count)]],
        )
        return list(Entry.objects.filter(pk__in=[entry_id for (entry_id,) in cursor.fetchall()]))


def _size() -> int:
    with connection.cursor() as cursor:
        return stored.state(cursor).size


def _proof(entry: Entry, size: int) -> list[bytes]:
    assert entry.index is not None
    with connection.cursor() as cursor:
        return list(merkle.inclusion_proof(entry.index, size, stored.reader(cursor)))


def _median(way: Callable[[Entry], object], chosen: list[Entry]) -> float:
    way(chosen[0])  # warms up
    found = []
    for entry in chosen:
        before = time.perf_counter()
        way(entry)
        found.append((time.perf_counter() - before) * 1e3)
    return statistics.median(found)
