"""Workers of bulk work are killed with kill -9: each prediction is made, and once."""

import subprocess
import sys

import pytest

from tests.journeys.conftest import ROOT


@pytest.mark.timeout(900)
def test_each_prediction_of_a_bulk_run_is_made_once_whatever_was_killed() -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "tests.bulk_faults", "--seconds", "25"),
            *("--batches", "4", "--hours", "48", "--members", "8000"),
        ],
        cwd=ROOT, text=True, capture_output=True, timeout=800, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr
    assert "bulk faults: each prediction is made once" in done.stdout
