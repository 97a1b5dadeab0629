"""Clients keep the contract while web, database and network fail: each write is there once."""

import subprocess
import sys

import pytest

from tests.journeys.conftest import ROOT


@pytest.mark.timeout(1500)
def test_each_accepted_write_is_there_once_and_proven_whatever_failed() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults", "--seconds", "40"],
        cwd=ROOT, text=True, capture_output=True, timeout=1400, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr
    assert "faults: each write is there once, and proven" in done.stdout
