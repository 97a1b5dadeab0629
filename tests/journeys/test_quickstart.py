"""The first day of docs/quickstart.md, executed as it is written, against a running server."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT
from tests.journeys import plan, site
from tests.journeys.conftest import Walked


def _blocks(language: str) -> str:
    text = (ROOT / "docs" / "quickstart.md").read_text()
    found = re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)
    assert found
    return "\n".join(found)


def _run(*command: str, folder: Path, url: str) -> None:
    environment = {**os.environ, "GMP_URL": url, "PASSWORD": plan.OWN}
    done = subprocess.run(
        command, cwd=folder, env=environment, text=True, capture_output=True, timeout=900,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_block_of_the_quickstart_works_in_its_order(
    walked_over_api: Walked, tmp_path: Path
) -> None:
    with site.running(walked_over_api.installation) as url:
        _run("sh", "-e", "-c", _blocks("sh"), folder=tmp_path, url=url)
        _run(sys.executable, "-c", _blocks("python"), folder=tmp_path, url=url)
