"""`manage.py up` as a person runs it, around a small project with the real servers."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from config.embedded import postgres, valkey

ROOT = Path(__file__).resolve().parents[2]
PROJECT = {
    "manage.py": """
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
from django.core.management import execute_from_command_line
execute_from_command_line(sys.argv)
""",
    # The product's package with the settings, URLs and application of this test, and of the
    # product's commands only the one that is tested.
    "config/__init__.py": """
import os
from pathlib import Path
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
__path__.append({root!r} + "/config")
""",
    "config/apps.py": "",
    "config/management/__init__.py": "",
    "config/management/commands/__init__.py": "",
    "config/settings.py": """
from pathlib import Path
BASE_DIR = Path(__file__).parent.parent
VAR_DIR = BASE_DIR / "var"
SECRET_KEY = "of this test only"
ALLOWED_HOSTS = ["127.0.0.1"]
EMBEDDED_POSTGRES = EMBEDDED_BROKER = True
WORKER_PROCESSES = BULK_PROCESSES = 1
BULK_PART_MEMORY_MB = 512
INSTALLED_APPS = ["config", "chain", "django_celery_beat"]
DATABASES = {{"default": {{"ENGINE": "config.embedded.backend", "NAME": "postgres",
                          "USER": "postgres", "EMBEDDED_VAR": str(VAR_DIR)}}}}
ROOT_URLCONF = "config.urls"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
""",
    "config/urls.py": """
from django.db import connection
from django.http import HttpResponse
from django.urls import path
def answer(request):
    with connection.cursor() as cursor:
        cursor.execute("SELECT 42")
        return HttpResponse(str(cursor.fetchone()[0]))
urlpatterns = [path("", answer)]
""",
    "config/wsgi.py": """
from django.core.wsgi import get_wsgi_application
application = get_wsgi_application()
""",
    "config/celery.py": """
from pathlib import Path
from celery import Celery
from config.embedded import valkey
app = Celery("config", broker=valkey.url(Path(__file__).parent.parent / "var"))
""",
    "chain/__init__.py": "",
    "chain/management/__init__.py": "",
    "chain/management/commands/__init__.py": "",
    "chain/management/commands/sequencer.py": """
import time
from django.core.management.base import BaseCommand
class Command(BaseCommand):
    def handle(self, **options):
        self.stdout.write("sealing")
        time.sleep(600)
""",
    "chain/management/commands/signer.py": """
import time
from django.core.management.base import BaseCommand
class Command(BaseCommand):
    def handle(self, **options):
        self.stdout.write("signing")
        time.sleep(600)
""",
}


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    for name, content in PROJECT.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content.format(root=str(ROOT)) if name.startswith("config/") else content)
    command = "config/management/commands/up.py"
    (tmp_path / command).symlink_to(ROOT / command)
    yield tmp_path
    for pid in processes_in(tmp_path):
        os.kill(pid, signal.SIGKILL)
    postgres.service(tmp_path / "var").stop()
    valkey.service(tmp_path / "var").stop()


def run(project: Path, *words: str) -> subprocess.Popen[str]:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.Popen(
        [sys.executable, *words],
        cwd=project,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def processes_in(folder: Path) -> list[int]:
    """Return the processes whose working folder is this one."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if (entry / "cwd").readlink() == folder:
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def server(project: Path) -> int | None:
    """Return the process of the database as it is recorded."""
    try:
        words = (project / "var" / "postgres" / "postmaster.pid").read_text().split()
    except FileNotFoundError:
        return None
    return int(words[0]) if words else None


def until(condition: Callable[[], Any], *, at_most_s: float = 240.0) -> Any:
    deadline = time.monotonic() + at_most_s
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)
    return found


def answer(url: str) -> str | None:
    try:
        with urllib.request.urlopen(url, timeout=60) as response:
            return str(response.read().decode())
    except OSError:
        return None


@pytest.mark.skipif(sys.platform != "linux", reason="processes are found through /proc")
def test_up_runs_everything_restarts_what_is_killed_and_leaves_nothing_behind(
    project: Path,
) -> None:
    migrated, _ = run(project, "manage.py", "migrate", "--verbosity", "0").communicate(timeout=240)
    assert migrated == ""
    up = run(project, "manage.py", "up", "--bind", "127.0.0.1:0", "--workers", "1")
    assert up.stdout is not None
    said = []
    for line in up.stdout:
        said.append(line)
        if line.startswith("Ready: "):
            break
    assert said[-1].startswith("Ready: "), "".join(said)
    url = said[-1].split()[1]
    status_file = project / "var" / "up.json"
    pids: dict[str, int] = json.loads(status_file.read_text())["pids"]
    assert sorted(pids) == ["beat", "bulk", "sequencer", "signer", "up", "web", "worker"]
    assert answer(url) == "42"

    second, _ = run(project, "manage.py", "up", "--bind", "127.0.0.1:0").communicate(timeout=240)
    assert f"already running at {url} (process {up.pid})" in second

    os.kill(pids["web"], signal.SIGKILL)
    until(lambda: json.loads(status_file.read_text())["pids"].get("web") not in {None, pids["web"]})
    until(lambda: answer(url) == "42")

    killed = server(project)
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    until(lambda: server(project) not in {None, killed})
    until(lambda: answer(url) == "42")

    up.send_signal(signal.SIGTERM)
    rest, _ = up.communicate(timeout=240)
    assert up.returncode == 0, rest
    assert processes_in(project) == []
    assert not status_file.exists()
    assert server(project) is None
    assert not (project / "var" / "valkey" / "valkey.pid").exists()
