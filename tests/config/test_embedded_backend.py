"""Django on the embedded PostgreSQL: it starts when something connects, and again when killed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from config.embedded import postgres

ROOT = Path(__file__).resolve().parents[2]
PREAMBLE = """
import json, os, signal, sys
from pathlib import Path
from django.conf import settings
var = Path(sys.argv[1])
settings.configure(EMBEDDED_BROKER=False, DATABASES={"default": {
    "ENGINE": "config.embedded.backend", "NAME": "postgres", "USER": "postgres",
    "EMBEDDED_VAR": str(var)}})
import django
django.setup()
from django.db import connection
from config.embedded import postgres
def ask(question):
    with connection.cursor() as cursor:
        cursor.execute(question)
        return cursor.fetchone()[0]
found = {}
"""


@pytest.fixture(scope="module")
def var(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("var")


def run(var: Path, script: str) -> dict[str, object]:
    ran = subprocess.run(
        [
            sys.executable,
            "-W",
            "error",
            "-c",
            f"{PREAMBLE}{script}\nprint(json.dumps(found))",
            var,
        ],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    postgres.service(var).stop()
    assert ran.returncode == 0, ran.stderr
    found: dict[str, object] = json.loads(ran.stdout.splitlines()[-1])
    return found


def test_nothing_starts_before_something_connects(var: Path) -> None:
    found = run(
        var,
        """
found["before"] = (var / "postgres").exists()
found["vendor"] = connection.vendor
found["answer"] = ask("SELECT 42")
found["driver"] = connection.Database.__name__
found["version"] = connection.pg_version // 10000
""",
    )

    assert found == {
        "before": False,
        "vendor": "postgresql",
        "answer": 42,
        "driver": "psycopg",
        "version": int(postgres.MAJOR),
    }


def test_a_server_killed_between_two_connections_is_started_again(var: Path) -> None:
    found = run(
        var,
        """
ask("SELECT 1")
first = postgres.service(var).pid
connection.close()
os.kill(first, signal.SIGKILL)
found["answer"] = ask("SELECT 43")
found["is_another"] = postgres.service(var).pid != first
""",
    )

    assert found == {"answer": 43, "is_another": True}


def test_a_server_that_another_process_started_anew_is_found(var: Path) -> None:
    found = run(
        var,
        """
ask("SELECT 1")
connection.close()
postgres.service(var).stop()   # as seen by this process it still runs
postgres.service(var).pid = os.getpid()
found["answer"] = ask("SELECT 44")
""",
    )

    assert found == {"answer": 44}


def test_a_test_database_can_be_made_and_dropped(var: Path) -> None:
    found = run(
        var,
        """
name = connection.creation.create_test_db(verbosity=0)
found["in"] = ask("SELECT current_database()")
connection.creation.destroy_test_db("postgres", verbosity=0)
""",
    )

    assert found == {"in": "test_postgres"}


def test_dbshell_uses_the_psql_of_the_server(var: Path) -> None:
    found = run(
        var,
        """
from django.core.management import call_command
read, write = os.pipe()
if (child := os.fork()) == 0:
    os.dup2(write, 1)
    call_command("dbshell", "--", "-Atc", "SELECT 45")
    os._exit(0)
os.waitpid(child, 0)
found["answer"] = os.read(read, 100).decode()
""",
    )

    assert found == {"answer": "45\n"}
