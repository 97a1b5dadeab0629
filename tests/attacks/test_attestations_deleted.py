"""Attacks on what others said of the log: cosignatures and time stamps deleted where they are stored."""

import shutil
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connections
from django.utils import timezone

from compliance.trail import exported, exporting, log_events, recovering, verification
from compliance.trail.findings import Verdict
from compliance.trail.recording import System
from tests import conftest as databases
from tests import trail_log
from tests.attacks import colluding
from tests.attacks.conftest import SealedLog

Superuser = psycopg.Connection[Any]
GONE = "is not in the database any more"


def count(table: str) -> int:
    with connections["default"].cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM audit.{table}")
        return int(cursor.fetchone()[0])


def recovered(folder: Path) -> recovering.Recovered:
    return recovering.recover(
        exported.Folder(folder), actor=System("test"), at=timezone.now(), reason="put back again"
    )


def test_a_deleted_time_stamp_is_missed_at_the_entry_that_tells_of_it(
    sealed_log: SealedLog, superuser: Superuser
) -> None:
    with colluding.silenced(superuser) as silent:
        silent.execute(
            "DELETE FROM audit.timestamp WHERE size = (SELECT min(size) FROM audit.timestamp)"
        )

    report = verification.verify()

    (fault,) = report.faults
    assert fault.verdict == Verdict.MISSING
    assert f"checkpoint {sealed_log.sizes[0]}" in fault.message and GONE in fault.message
    assert fault.index is not None and fault.index >= sealed_log.sizes[0]


def test_what_was_deleted_comes_back_from_the_export(
    sealed_log: SealedLog, superuser: Superuser
) -> None:
    before = count("timestamp"), count("cosignature")
    with colluding.silenced(superuser) as silent:
        silent.execute("DELETE FROM audit.timestamp; DELETE FROM audit.cosignature")
    assert verification.verify().counts[Verdict.MISSING] == before[0]

    found = recovered(sealed_log.folder / "worm")

    assert (found.start, found.lost_tokens) == (found.end, ())
    assert (count("timestamp"), count("cosignature")) == before
    assert verification.verify().faults == ()


def test_a_comparison_with_the_export_names_what_was_deleted(
    sealed_log: SealedLog, superuser: Superuser
) -> None:
    with colluding.silenced(superuser) as silent:
        silent.execute("DELETE FROM audit.cosignature WHERE witness LIKE '%w2%'")

    compared = exporting.compare()

    assert compared is not None
    assert len(compared["foreign"]) == len(sealed_log.sizes)
    assert all("w2" in one and one.endswith(".cosignature") for one in compared["foreign"])


@pytest.fixture
def restored(sealed_log: SealedLog) -> SealedLog:
    """Put the backup of the second checkpoint in the place of the database."""
    connections.close_all()
    databases._drop(sealed_log.database)
    databases._copy(sealed_log.older, sealed_log.database)
    return sealed_log


def test_a_lawful_recovery_brings_seals_and_time_stamps_back(restored: SealedLog) -> None:
    found = recovered(restored.folder / "worm")
    trail_log.seal_and_sign()

    assert found.end == restored.size
    assert found.lost_tokens == ()
    report = verification.verify()
    assert report.faults == ()
    assert not any("time stamp" in one for one in report.notes)


def test_time_stamps_that_the_export_does_not_have_are_named_by_the_recovery(
    restored: SealedLog,
) -> None:
    for path in (restored.folder / "worm").rglob("timestamp.tsr"):
        path.unlink()

    found = recovered(restored.folder / "worm")
    trail_log.seal_and_sign()

    report = verification.verify()
    assert len(found.lost_tokens) == 1  # those of the first two checkpoints are in the backup
    assert report.faults == ()
    assert sum("it was lost before a recovery" in one for one in report.notes) == 1


def test_a_backup_restored_without_a_recovery_misses_no_time_stamp(restored: SealedLog) -> None:
    shutil.rmtree(restored.folder / "published")
    shutil.rmtree(restored.folder / "keys" / "signer")

    report = verification.verify()

    assert not any("time stamp" in one.message for one in report.faults)


def test_the_application_tells_of_no_time_stamp(sealed_log: SealedLog) -> None:
    with pytest.raises(Exception, match="kind timestamp is not written by gmp_app"):
        log_events.record(
            "timestamp", {"v": 1}, actor=System("test"), at=timezone.now(), reason="no such stamp"
        )
