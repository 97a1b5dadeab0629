"""The sequencer gives every committed entry one place in the log."""

from datetime import UTC, datetime
from enum import StrEnum

import pytest
from django.db import connections, transaction

from compliance.trail import checkpoints, keys, projecting, recording, sequencer, verification
from compliance.trail.recording import System
from tests.trail_app.models import Vessel

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Action(StrEnum):
    TRIED = "test.tried"


def create(count: int, prefix: str = "V") -> None:
    with recording.recording(Action.TRIED, actor=System("test"), at=NOON, reason="made in a test"):
        Vessel.objects.bulk_create(Vessel(name=f"{prefix}-{n}") for n in range(count))


def test_every_committed_entry_gets_one_leaf(fresh_log) -> None:
    create(600)

    sealed = sequencer.seal()

    assert sealed.count == sealed.size
    assert sequencer.seal().count == 0
    keys.ensure()
    checkpoints.sign(datetime.now(UTC))
    report = verification.verify()
    assert report.faults == ()
    assert (report.leaves, report.unsealed) == (sealed.size, 0)


@pytest.mark.parametrize(
    ("statement", "values"),
    [
        (sequencer._UNSEALED, [1, 0, 0, 5000]),
        (sequencer._BODIES, [1, 1, 900]),
        (projecting._PROJECT, [1, 0, 900]),
    ],
)
def test_no_batch_reads_the_whole_log_whatever_the_statistics_say(
    fresh_log, statement, values
) -> None:
    with connections["owner"].cursor() as cursor:
        cursor.execute("SET ROLE gmp_trail")
        cursor.execute("ANALYZE audit.leaf, audit.entry")  # of next to nothing
        cursor.execute("RESET ROLE")
    create(900)
    sequencer.seal()

    with transaction.atomic(using="sequencer"), connections["sequencer"].cursor() as cursor:
        cursor.execute("SELECT audit.read_by_index()")
        cursor.execute(f"EXPLAIN {statement}", values)
        plan = "\n".join(line for (line,) in cursor.fetchall())

    assert "Index" in plan
    for way in ("Seq Scan", "Sort", "Hash Cond", "Gather"):
        assert way not in plan
