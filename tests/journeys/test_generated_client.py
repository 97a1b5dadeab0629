"""A client that was generated from the schema does a whole batch with no request of its own."""

import subprocess
import sys

import pytest

from tests.generated_client import generating
from tests.journeys.conftest import ROOT


@pytest.mark.skipif(
    generating.tool() is None,
    reason="openapi-python-client is not installed here: `make generated-client` installs it",
)
@pytest.mark.timeout(1800)
def test_a_generated_client_does_a_whole_batch() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.generated_client"],
        cwd=ROOT, text=True, capture_output=True, timeout=1700, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr
    assert "a batch is certified and shipped" in done.stdout
