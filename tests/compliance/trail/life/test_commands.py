"""`manage.py trail`: the life of logs from the command line."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from compliance.trail import exporting, keys, stored
from tests import trail_log
from tests.compliance.trail.life import copies
from tests.compliance.trail.life.conftest import Archives, settle
from tests.trail_log import BEGUN

REASON = "as the yearly plan says"
PERSONS = ["Ada Quality: reviewed what was lost", "Bo Operations: restored the backup"]


@pytest.fixture
def database(fresh_log: Any) -> Iterator[str]:
    yield fresh_log.database
    copies.discard(fresh_log.database)


def run(*words: str, **options: Any) -> str:
    out = io.StringIO()
    call_command("trail", *words, stdout=out, **options)
    return out.getvalue()


def test_archives_are_checked_alone_and_together(archives: Archives) -> None:
    path = archives.folder / archives.spans[0].file

    assert "INTACT: leaves 0 to 256" in run("check-archive", str(path))
    assert "INTACT: 2 archives" in run("check-archives")
    with pytest.raises(CommandError, match="no multiple of 65536"):
        run("archive", reason=REASON)

    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1] + b"\0")
    with pytest.raises(CommandError, match="1 faults"):
        run("check-archive", str(path))
    with pytest.raises(CommandError, match="NOT INTACT: 1 faults"):
        run("check-archives")


def test_a_hold_stops_a_detachment(archives: Archives, next_partition: None) -> None:
    given = {"retention_days": 0, "person": PERSONS}
    assert "In force: case 7" in run("hold", "case 7", reason=REASON)
    with pytest.raises(CommandError, match="legal hold is in force: case 7"):
        run("detach", "0", **given)
    assert "In force: none" in run("release-hold", "case 7", reason=REASON)

    assert "Detached 512 entries" in run("detach", "0", **given)


@pytest.mark.parametrize("number", ["first", "-1", "\u0661", "1" * 30])
def test_what_is_no_partition_is_told(fresh_log: Any, number: str) -> None:
    with pytest.raises(CommandError, match="no number of a partition"):
        run("detach", subject=number, retention_days=0, person=PERSONS)


def test_a_kept_checkpoint_that_cannot_be_read_is_told(fresh_log: Any, tmp_path: Path) -> None:
    (tmp_path / "image").write_bytes(b"\xff\xd8")

    for name in ("absent", "image"):
        with pytest.raises(CommandError, match="--note: "):
            run("restore-check", note=[tmp_path / name])


def test_the_export_is_compared_with_the_database(
    fresh_log: Any, settings: Any, tmp_path: Path
) -> None:
    settings.EXPORT = ""
    with pytest.raises(CommandError, match="GMP_EXPORT") as failed:
        run("compare-export")
    assert failed.value.returncode == 2

    settings.EXPORT = str(tmp_path)
    trail_log.vessels(5, "A")
    size = trail_log.seal_and_sign()
    exporting.export()
    assert f"THE SAME: the export and the database, up to {size} leaves" in run("compare-export")

    altered = next(tmp_path.rglob("note"))
    altered.chmod(0o644)
    altered.write_bytes(altered.read_bytes() + b"\n")
    with pytest.raises(CommandError, match="NOT THE SAME: 2 differences") as failed:
        run("compare-export")
    assert failed.value.returncode == 1


def test_a_restored_log_is_checked_and_recovered(database: str, tmp_path: Path) -> None:
    trail_log.vessels(5, "A")
    trail_log.seal_and_sign()
    assert "Nothing is lost" in run("restore-check")
    copies.back_up(database)
    trail_log.vessels(5, "B")
    trail_log.seal_and_sign()
    copies.export(tmp_path)
    copies.restore(database)

    with pytest.raises(CommandError, match="ROLLED BACK") as failed:
        run("restore-check", source=tmp_path)
    assert failed.value.returncode == 1

    assert f"Put back leaves {BEGUN + 5} to {BEGUN + 10} and 5 records" in run(
        "recover", source=tmp_path, reason=REASON
    )
    assert "Nothing is lost" in run("restore-check", source=tmp_path)


def test_a_restored_log_is_continued(database: str) -> None:
    trail_log.vessels(5, "A")
    trail_log.seal_and_sign()
    copies.back_up(database)
    trail_log.vessels(5, "B")
    trail_log.seal_and_sign()
    copies.restore(database)

    with pytest.raises(CommandError, match="two different persons"):
        run("new-origin", reason=REASON, person=PERSONS[:1])
    said = run("new-origin", reason=REASON, person=PERSONS)

    assert settings.LOG_ORIGIN.removesuffix("1") + "2, continues" in said


def test_logs_begin_are_gathered_and_hashed_again(fresh_log: Any) -> None:
    keys.ensure()
    assert "Archived 0 spans" in run("archive", reason=REASON)
    above = "plant.example/all/1"
    assert "Log 2 begins" in run("new-log", above, parent=True, reason=REASON)
    trail_log.seal_and_sign()

    assert "1 new checkpoints" in run("gather")
    assert "+sha3-256: " in run("rehash", hash="sha3-256", reason=REASON)
    settle((1, stored.log_id_of(above)))
    with pytest.raises(CommandError, match="used before"):
        run("new-log", above, reason=REASON)
    with pytest.raises(CommandError, match="no log nowhere/1"):
        run("rehash", log="nowhere/1", reason=REASON)
