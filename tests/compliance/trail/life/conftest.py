"""Logs whose entries are archived, in a database of each test."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.utils import timezone

from compliance.trail import archiving, projecting, sequencer
from compliance.trail.archiving import Span
from compliance.trail.detaching import Person
from compliance.trail.recording import System
from tests import trail_log

ACTOR = System("test")
SPAN = 256
TWO = (
    Person("Ada Quality", "retention of the 2026 batches ended"),
    Person("Bo Operations", "the archive was read back on tape"),
)
LATER = datetime(2100, 1, 1, tzinfo=UTC)
TEN_YEARS = timedelta(days=3653)


def settle(log_ids: tuple[int, ...] = (1,)) -> None:
    """Seal and project everything, and let the marks pass what has ended."""
    for log_id in log_ids:
        for _ in range(3):
            while sequencer.seal(log_id=log_id).count:
                pass
        while projecting.project(log_id=log_id):
            pass


def archived(folder: Path, **options: Any) -> list[Span]:
    return archiving.archive(
        folder,
        **{"actor": ACTOR, "at": timezone.now(), "reason": "yearly archive", "span": SPAN}
        | options,
    )


@dataclass(frozen=True)
class Archives:
    """Two archived spans of a log that goes on after them."""

    folder: Path
    spans: list[Span]
    size: int


@pytest.fixture
def archives(fresh_log: Any, tmp_path: Path, settings: Any) -> Archives:
    settings.ARCHIVES_DIR = tmp_path / "archives"
    trail_log.vessels(600, "A")
    size = trail_log.seal_and_sign()
    return Archives(settings.ARCHIVES_DIR, archived(settings.ARCHIVES_DIR), size)


@pytest.fixture
def next_partition(archives: Archives, as_superuser: psycopg.Connection[Any]) -> Iterator[None]:
    """Let the log go on in the next partition, as if 2^20 entries had been written.

    The first one then holds the two spans only: what came behind them is moved to the second.
    """
    as_superuser.execute("SET session_replication_role = replica")
    for table in ("entry", "entry_p0", "leaf"):
        as_superuser.execute(f"ALTER TABLE audit.{table} DISABLE TRIGGER append_only")
    for table in ("projection", "leaf", "entry"):
        as_superuser.execute(
            f"UPDATE audit.{table} SET entry_id = entry_id + 1048576 WHERE entry_id > %s",
            [2 * SPAN],
        )
    # Before the next DDL, which is an entry too.
    as_superuser.execute("SELECT setval('audit.entry_id_seq', 1048576 + 100000)")
    for table in ("entry", "entry_p0", "leaf"):
        as_superuser.execute(f"ALTER TABLE audit.{table} ENABLE ALWAYS TRIGGER append_only")
    as_superuser.execute("SET session_replication_role = origin")
    as_superuser.commit()
    trail_log.vessels(20, "next")
    settle()
    yield
