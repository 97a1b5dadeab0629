"""The sequencer gives every committed entry one place in the log."""

from datetime import UTC, datetime
from enum import StrEnum

from compliance.trail import checkpoints, keys, recording, sequencer, verification
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
