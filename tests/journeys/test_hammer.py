"""Sixteen writers in mixed isolation levels, and everything killed at random: the log stays whole."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_what_was_acknowledged_is_in_the_log_once_whatever_was_killed() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.hammer", "--transactions", "400", "--kill-every", "1.5"],
        cwd=ROOT,
        text=True,
        capture_output=True,
        timeout=800,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "hammer: the log is whole" in done.stdout
