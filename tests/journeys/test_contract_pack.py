"""The contract tests that customers run pass against the product, and say so in their file."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.journeys import site
from tests.journeys.conftest import ROOT, Installation, Walked

SCRIPT = ROOT / "docs" / "contract_tests" / "contract_tests.py"
MAKE = """
import json
from datetime import timedelta
from django.utils import timezone
from compliance.access.models import DeviceKind
from tests import factories
from tests.batches.exchange import sending
at = timezone.now() - timedelta(hours=2)
device, token = factories.device_and_token(DeviceKind.LIMS, at=at)
sending.registered(device, "lims-1", at=at)
print(json.dumps([factories.running_batch(at=at).number, token]))
"""


@pytest.mark.timeout(1500)
def test_the_contract_tests_pass_and_write_the_validation_file(
    walked_over_api: Walked, tmp_path: Path
) -> None:
    installation = walked_over_api.installation
    batch, token = json.loads(installation.ask(MAKE).splitlines()[-1])
    limited = Installation(installation.folder)
    limited.environment["GMP_RATE_DEVICE"] = "120"  # a minute: the pack reaches it

    with site.running(limited) as url:
        done = subprocess.run(
            [sys.executable, str(SCRIPT), "--url", url, "--batch", batch, "--source", "lims-1"],
            cwd=tmp_path, env={"GMP_TOKEN": token}, text=True, capture_output=True, timeout=1400,
            check=False,
        )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr
    said = json.loads((tmp_path / "validation.json").read_text())
    assert said["is_passed"]
    assert said["counts"] == {"passed": len(said["checks"]), "failed": 0, "not run": 0}
    assert all(one["clause"].startswith(("api.md", "streams.md")) for one in said["checks"])
    assert "PASSED" in (tmp_path / "validation.txt").read_text()
