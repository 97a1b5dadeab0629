"""The claim on a var folder: one at a time, lost by who is killed, told to who comes second."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from config import status

ROOT = Path(__file__).resolve().parents[2]
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_a_second_claim_is_refused_and_told_where_the_first_one_is(
    tmp_path: Path,
) -> None:
    with status.Status(tmp_path, started_at=NOON) as first:
        first.write(url="http://127.0.0.1:8000/", pids={"web": 7})

        with (
            pytest.raises(status.AlreadyUp, match=rf"8000/ \(process {os.getpid()}\)"),
            status.Status(tmp_path, started_at=NOON),
        ):
            pass

        assert json.loads((tmp_path / "up.json").read_text()) == {
            "url": "http://127.0.0.1:8000/",
            "started_at": "2026-03-01T12:00:00+00:00",
            "pids": {"up": os.getpid(), "web": 7},
        }


def test_a_claim_ends_with_its_block_and_takes_the_file_away(tmp_path: Path) -> None:
    with status.Status(tmp_path, started_at=NOON) as first:
        first.write(url=None, pids={})

    with status.Status(tmp_path, started_at=NOON):
        assert not (tmp_path / "up.json").exists()


def test_the_claim_of_a_killed_process_is_free(tmp_path: Path) -> None:
    script = (
        "import os, sys; from pathlib import Path; from datetime import datetime, UTC\n"
        "from config import status\n"
        "claim = status.Status(Path(sys.argv[1]), started_at=datetime.now(UTC)).__enter__()\n"
        "claim.write(url='http://gone/', pids={}); os.kill(os.getpid(), 9)"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", script, tmp_path], env=environment, check=False)
    assert (tmp_path / "up.json").exists()

    with status.Status(tmp_path, started_at=NOON):
        assert not (tmp_path / "up.json").exists()
