"""The product in processes of its own, under a folder of its own, for whole ways."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.journeys import api_walk, site
from tests.journeys.records import Left

ROOT = Path(__file__).resolve().parents[2]


class Installation:
    """One installation on the embedded servers, driven by its commands like a person would."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        kept = {key: value for key, value in os.environ.items() if not key.startswith("GMP_")}
        self.environment = {
            **kept, "GMP_VAR_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "config.settings",
            "PYTHONUNBUFFERED": "1", "COLUMNS": "200",
        }  # fmt: skip
        for name in ("DATABASE_URL", "CELERY_BROKER_URL"):
            self.environment.pop(name, None)

    def manage(self, *words: str, timeout: float = 800) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "manage.py", *words], cwd=ROOT, env=self.environment, text=True,
            capture_output=True, timeout=timeout, check=False,
        )  # fmt: skip

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "manage.py", *words], cwd=ROOT, env=self.environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip

    def pids(self) -> dict[str, int]:
        """The processes that run now, by name; empty while there is nothing to read."""
        try:
            return dict(json.loads((self.folder / "up.json").read_text())["pids"])
        except (OSError, ValueError, KeyError):
            return {}

    def kill(self, name: str, *, at_most_s: float = 240) -> None:
        """kill -9 one of the processes, as soon as it runs."""
        deadline = time.monotonic() + at_most_s
        while name not in self.pids():
            assert time.monotonic() < deadline, f"{name} does not run: {self.pids()}"
            time.sleep(0.1)
        os.kill(self.pids()[name], signal.SIGKILL)

    def kill_server(self, name: str) -> None:
        """kill -9 an embedded server, found by its folder."""
        found = [
            process
            for process in psutil.process_iter(["name", "cmdline"])
            if name in " ".join(process.info["cmdline"] or [])[:200]
            and str(self.folder) in " ".join(process.info["cmdline"] or [])
        ]
        assert found, f"no {name} runs under {self.folder}"
        for process in found:
            process.kill()

    def ask(self, code: str) -> str:
        done = self.manage("shell", "-v0", "-c", code)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


@pytest.fixture
def installation() -> Iterator[Installation]:
    folder = Path(tempfile.mkdtemp(prefix="gmp-journey-"))
    yield Installation(folder)
    shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True)
class Walked:
    """What a walk left and where, and what the verifier said of its trail afterwards."""

    installation: Installation
    left: Left
    verified: subprocess.CompletedProcess[str]


@pytest.fixture(scope="session")
def walked_over_api() -> Iterator[Walked]:
    """One batch from its recipe to its shipment over the API; walked once for all that asks."""
    folder = Path(tempfile.mkdtemp(prefix="gmp-walk-"))
    made = Installation(folder)
    try:
        migrated = made.manage("migrate", "--verbosity", "0")
        assert migrated.returncode == 0, migrated.stderr
        password = site.first_administrator(made)
        with site.running(made) as url:
            left = api_walk.walk(url, password)
        yield Walked(made, left, made.manage("trail", "verify"))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
