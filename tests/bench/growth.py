"""How a log behaves as it grows: full verification, proofs, and the first page of a record."""

import random
import statistics
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from django.apps import apps
from django.db import connection, transaction

from compliance.trail import recording, stored, timeline
from compliance.trail.recording import System
from compliance.trail.timeline import Asked
from compliance.trail.tlog import merkle
from tests.bench import databases, verification
from tests.bench import timeline as reading
from tests.bench.columns import AT, values
from tests.bench.measuring import Row

LEAST = 10_000  # at a tenth
RECORDS, CHANGES = 20, 100  # records with more than a page of entries
ASKED = 400


def rows(entries: str) -> list[Row]:
    """Plant a log of so many entries, and measure at a tenth of it and at the whole."""
    tenth = max(int(entries) // 10, LEAST)
    verification.prepare()
    verification.ACT_ROWS = min(verification.ACT_ROWS, tenth // 2)  # one act is not more than it
    records = _records()
    small, large = (_at(size, records) for size in (tenth, 10 * tenth))
    return [
        *(
            Row(name, large[name], unit, small[name], large[name] / small[name])
            for name, unit in _GROWING.items()
        ),
        *_verified(int(large["log_growth"])),
    ]


# The median of one read: a record's first page, a person's, a period's, and a proof with its check.
_GROWING = {
    "timeline_growth": "ms", "person_ms": "ms", "period_ms": "ms", "proof_ms": "ms",
    "log_growth": "entries",
}  # fmt: skip


def _at(size: int, records: list[str]) -> dict[str, float]:
    """Let the log grow, and measure what reading it costs then."""
    verification.plant(size)
    with databases.administrator(connection.settings_dict["NAME"]) as cursor:
        cursor.execute("VACUUM (ANALYZE)")  # else it begins by itself in the middle
        cursor.execute(
            "CHECKPOINT"
        )  # else gigabytes that were planted are written beside what is read
    with connection.cursor() as cursor:
        sealed = stored.state(cursor).size
    return {
        **{row.name: row.value for row in reading.timeline_growth()},
        "timeline_growth": _milliseconds(lambda: _first_page(random.choice(records))),
        "proof_ms": _milliseconds(_prove),
        "log_growth": sealed,
    }


def _verified(entries: int) -> list[Row]:
    rate, cpu, peaks = verification.verify_rate(entries)
    return [
        Row("verify_rate", rate, "entries/s"),
        Row("verify_cpu", cpu, "us CPU/entry"),
        Row("verify_memory", max(peaks.rss.values()) / 2**20, "MiB a process"),
    ]


def _records() -> list[str]:
    """Make the records whose timelines are read; the log grows on top of them."""
    model = apps.get_model("bench_app.Audited")
    with _act():
        records = model.objects.bulk_create([model(**values(n)) for n in range(RECORDS)])
    for number in range(CHANGES):
        with _act():
            model.objects.update(count=number + 1)
    return [str(record.pk) for record in records]


def _act() -> AbstractContextManager[Any]:
    return recording.recording(
        verification.Action.MEASURED, actor=System("bench"), at=AT, reason="measured here"
    )


def _first_page(record_id: str) -> None:
    page = timeline.page(Asked(record="bench_app_audited", record_id=record_id))
    found = [(entry.record_seq, entry.body) for entry in page.entries]
    assert found[0][0] == CHANGES + 1 and len(found) == timeline.PAGE


def _prove() -> None:
    """Make the proof of any one entry from storage, and check it against the log's root."""
    with transaction.atomic(), connection.cursor() as cursor:
        state = stored.state(cursor)
        index = random.randrange(state.size)
        reader = stored.reader(cursor)
        proof = merkle.inclusion_proof(index, state.size, reader)
        leaf = reader.hash_at(0, index)
    merkle.verify_inclusion(leaf, index, state.size, proof, state.root)


def _milliseconds(run: Callable[[], None]) -> float:
    """Return the median of many calls, after as many that warm up."""
    found = []
    for _ in range(2 * ASKED):
        before = time.perf_counter()
        run()
        found.append(time.perf_counter() - before)
    return statistics.median(found[ASKED:]) * 1e3
