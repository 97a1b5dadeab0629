"""Write a log for tests: acts on the models that only the tests have."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connections
from django.utils import timezone

from compliance.trail import checkpoints, keys, projecting, recording, sequencer
from compliance.trail.models import Entry
from compliance.trail.recording import System
from compliance.trail.signer import process
from config.jobs import JOBS
from tests.trail_app.models import Vessel

# What `migrate` writes into a new log: the jobs, their schedules, the list of what is erasable, and
# the first accountability statement.
BEGUN = 2 + len(JOBS) + len({(job.every_seconds, job.daily_at_hour) for job in JOBS})
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Action(StrEnum):
    TRIED = "test.tried"


@contextmanager
def act(reason: str = "tried in a test", *, name: str = "test") -> Iterator[recording.Act]:
    with recording.recording(Action.TRIED, actor=System(name), at=NOON, reason=reason) as begun:
        yield begun


def vessels(count: int, prefix: str) -> None:
    with act():
        Vessel.objects.bulk_create(Vessel(name=f"{prefix}-{n}") for n in range(count))


def leaf_of(name: str) -> int:
    """Return the leaf of the entry that made a vessel: what the installation wrote comes before."""
    pk = str(Vessel.objects.get(name=name).pk)
    entry = Entry.objects.get(record="trail_app_vessel", record_id=pk, record_seq=1)
    assert entry.index is not None
    return entry.index


def seal_and_sign() -> int:
    """Seal everything, sign and publish a checkpoint; return its size."""
    keys.ensure()
    while sequencer.seal().count:
        pass
    while projecting.project():
        pass
    size = checkpoints.sign(timezone.now()).checkpoint.size
    checkpoints.publish(Path(settings.PUBLISHED_DIR))
    return size


@contextmanager
def running_signer() -> Iterator[list[BaseException]]:
    """Run the signer's loop in a thread; collect what ended it."""
    stop, ends = threading.Event(), list[BaseException]()

    def run() -> None:
        try:
            process.run(stop)
        except BaseException as error:
            ends.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield ends
    finally:
        stop.set()
        thread.join()


def written() -> int:
    """Write a log with creations, changes and deletions, signed and published at three sizes."""
    vessels(40, "A")
    seal_and_sign()
    with act("volume read again"):
        for vessel in Vessel.objects.order_by("pk")[:10]:
            vessel.volume_l = 12
            vessel.save()
    seal_and_sign()
    vessels(30, "B")
    with act("taken out of service"):
        Vessel.objects.filter(name__in=["B-3", "B-4"]).delete()
    return seal_and_sign()


class Changed(NamedTuple):
    """One column that an entry changed, as the body has it."""

    field: str
    old: Any
    new: Any


def changes(entry: Entry) -> list[Changed]:
    """Return what an entry changed, read from its body."""
    members = json.loads(entry.body)
    old, new = members["old"], members["new"]
    return [Changed(name, old.get(name), new.get(name)) for name in sorted(old.keys() | new.keys())]
