"""An unfinished file is cleared by whoever comes next for its place, once its writer is dead."""

import errno
import fcntl
import os
import signal
import subprocess
import sys
import time
from io import BytesIO
from pathlib import Path

import pytest
from django.conf import settings

from compliance.trail import append_stores, attachments, durable, unfinished
from twins.predictions import batch_files

# Writes half of a file beside its place, says so, and stays until it is killed.
WRITER = """
import sys, time
from pathlib import Path
from compliance.trail import unfinished
with unfinished.beside(Path(sys.argv[1])) as fresh:
    fresh.file.write(b"half")
    fresh.file.flush()
    print("half", flush=True)
    time.sleep(600)
"""


def _writing(path: Path) -> "subprocess.Popen[str]":
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout is not None
    assert writer.stdout.readline() == "half\n"
    return writer


def _killed(path: Path) -> Path:
    """Return what a writer left of a path that was killed in the middle."""
    writer = _writing(path)
    writer.send_signal(signal.SIGKILL)
    writer.communicate()
    return path.with_name(f".{path.name}.part")


@pytest.mark.parametrize("write", [durable.replace, durable.create])
def test_what_a_killed_writer_left_goes_with_the_next_write(write: object, tmp_path: Path) -> None:
    path = tmp_path / "note"
    left = _killed(path)
    assert left.read_bytes() == b"half"

    write(path, "whole")  # type: ignore[operator]

    assert [one.name for one in tmp_path.iterdir()] == ["note"]
    assert path.read_text() == "whole"


def test_a_file_of_answers_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "answers.csv"
    assert _killed(path).exists()

    batch_files.write(path, {"batch": ["B-1"], "p": [0.5]})

    assert [one.name for one in tmp_path.iterdir()] == ["answers.csv"]


def test_an_exported_object_leaves_nothing_behind(tmp_path: Path) -> None:
    assert _killed(tmp_path / "checkpoint").exists()

    append_stores.FolderStore(tmp_path).put("checkpoint", b"whole")

    assert [one.name for one in tmp_path.iterdir()] == ["checkpoint"]
    assert (tmp_path / "checkpoint").stat().st_mode & 0o777 == 0o444


def test_a_living_writer_is_waited_for_and_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "note"
    writer = _writing(path)
    second = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True
    )

    time.sleep(1.5)
    first_file = path.with_name(".note.part")
    assert first_file.read_bytes() == b"half"
    unfinished.clear(tmp_path, "note")
    assert first_file.exists()
    writer.kill()
    writer.communicate()

    assert second.stdout is not None
    assert second.stdout.readline() == "half\n"
    second.kill()
    second.communicate()


def test_what_is_not_put_in_its_place_is_removed(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="no space"), unfinished.beside(tmp_path / "note"):
        raise OSError("no space")

    assert list(tmp_path.iterdir()) == []


@pytest.mark.django_db
def test_an_upload_that_was_killed_is_cleared_by_the_next_one_and_a_running_one_is_not() -> None:
    root = Path(settings.ATTACHMENTS_DIR)
    root.mkdir(parents=True, exist_ok=True)
    left = _killed(root / "incoming-0011")
    running = _writing(root / "incoming-2233")

    attachments._store(BytesIO(b"content"))

    assert not left.exists()
    assert (root / ".incoming-2233.part").read_bytes() == b"half"
    running.kill()
    running.communicate()
    (root / ".incoming-2233.part").unlink()


def test_a_report_clears_what_was_left_of_its_number_only(tmp_path: Path) -> None:
    left = _killed(tmp_path / "RPT-2026-0001-B-1-aaaaaaaa.pdf")
    other = _killed(tmp_path / "RPT-2026-0002-B-1-bbbbbbbb.pdf")

    unfinished.clear(tmp_path, "RPT-2026-0001-")

    assert not left.exists()
    assert other.exists()


def test_what_a_killed_writer_left_is_locked_as_nfs_asks_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, real = tmp_path / "object", fcntl.flock
    left = _killed(path)

    def flock(descriptor: int, how: int) -> None:
        if fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
            raise OSError(errno.EBADF, "an exclusive lock is for who may write")
        real(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", flock)
    durable.create(path, "whole", mode=0o444)

    assert not left.exists()
    assert path.stat().st_mode & 0o777 == 0o444
    with unfinished.beside(tmp_path / "other", mode=0o400) as fresh:
        assert fresh.path.stat().st_mode & 0o200


def test_what_a_writer_left_that_was_killed_when_it_had_settled_goes_too(tmp_path: Path) -> None:
    nobody = 65534  # whom a mode stops, unlike root
    path = tmp_path / "object"
    left = tmp_path / ".object.part"
    left.write_text("whole but for its name")
    left.chmod(0o400)
    if (child := os.fork()) == 0:
        os.chdir(tmp_path)  # the folders above may be root's alone
        if os.geteuid() == 0:
            for one in (left, tmp_path):
                os.chown(one, nobody, nobody)
            os.setuid(nobody)
        try:
            durable.create(Path("object"), "whole", mode=0o400)
        finally:
            os._exit(0 if Path("object").exists() and not Path(".object.part").exists() else 1)

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert path.read_text() == "whole"
