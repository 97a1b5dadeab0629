"""Files of the trail become folders, pipes or links, and disks are full: there is a verdict still."""

import errno
import os
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from compliance.trail import verification
from compliance.trail.verifying import marks
from tests import trail_log

EXCHANGED: tuple[Callable[[Path], object], ...] = (
    Path.touch,
    Path.mkdir,
    os.mkfifo,
    lambda path: path.symlink_to(path.name),
)


@pytest.fixture
def log(fresh_log: Any) -> int:
    return trail_log.written()


def said(way: str) -> tuple[int, str]:
    out = StringIO()
    try:
        call_command("trail", way, stdout=out)
    except CommandError as error:
        return error.returncode, out.getvalue() + str(error)
    except SystemExit as ended:
        return int(ended.code or 0), out.getvalue()
    return 0, out.getvalue()


@pytest.mark.parametrize("exchange", EXCHANGED)
def test_whatever_stands_in_the_place_of_a_file_there_is_a_verdict(
    log: int, exchange: Callable[[Path], object]
) -> None:
    keys, published = Path(settings.KEYS_DIR), Path(settings.PUBLISHED_DIR)
    places = (
        (keys / "keys.json", "verify", "NOT ASSESSABLE"),
        (keys / "signer" / "state.json", "verify", "NOT "),
        (published / f"{log}.note", "verify", "NOT INTACT"),
        (published / f"{log}.note", "publish", "FORK"),
        (published / "latest", "publish", ""),
    )
    for path, way, verdict in places:
        content = path.read_bytes()
        path.unlink()
        exchange(path)

        code, text = said(way)

        assert verdict in text, (path, way)
        assert code or path.name == "latest", (path, way)  # which is written anew
        (path.rmdir if path.is_dir() else path.unlink)()
        path.write_bytes(content)
    assert said("verify")[0] == 0


def test_a_full_disk_takes_no_verdict_back(log: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "no space left on device")

    monkeypatch.setattr(marks, "keep", full)

    report = verification.verify()

    assert report.is_intact
    assert any("no space left" in one for one in report.notes)
