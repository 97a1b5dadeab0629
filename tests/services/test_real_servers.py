"""The product on servers of the machine: PostgreSQL, Redis and RabbitMQ, each in a real process.

Runs when SERVICES_DATABASE_URL, SERVICES_REDIS_URL and SERVICES_RABBITMQ_URL name them (.ci/run does).
"""

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from psycopg import sql

from config import queues

pytestmark = pytest.mark.services

ROOT = Path(__file__).resolve().parents[2]
BROKERS = ["SERVICES_REDIS_URL", "SERVICES_RABBITMQ_URL"]
OVERDUE = """
from datetime import timedelta
from django.utils import timezone
from compliance.access import people
from compliance.quality import deviations
from compliance.trail.recording import System
now = timezone.now()
person = people.create(username="qa.one", full_name="Quality One", password="a long pass phrase 1",
    roles=frozenset({"quality-assurance"}), actor=System("test"), at=now, reason="for the test")
deviations.open_(title="Glucose below its limit", description="Seen in the trend on day six.",
    severity="major", occurred_at=now - timedelta(days=50), actor=person, at=now - timedelta(days=45))
"""
QUEUE = "from compliance.quality.tasks import remind_of_overdue_work as t; t.delay()"


class Product:
    """The product in processes of its own, on one database and one broker."""

    def __init__(self, folder: Path, database: str, broker: str) -> None:
        self.environment = {
            **os.environ, "DATABASE_URL": database, "CELERY_BROKER_URL": broker,
            "GMP_VAR_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "config.settings",
        }  # fmt: skip
        self.database = database
        self.children: list[subprocess.Popen[bytes]] = []

    def manage(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "manage.py", *words], cwd=ROOT, env=self.environment, text=True,
            capture_output=True, timeout=500, check=False,
        )  # fmt: skip

    def must(self, *words: str) -> str:
        done = self.manage(*words)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        child = subprocess.Popen(
            [sys.executable, *command], cwd=ROOT, env=self.environment, start_new_session=True
        )
        self.children.append(child)
        return child

    def kill(self) -> None:
        for child in self.children:
            if child.poll() is None:
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()

    def worker(self, names: str = queues.SCHEDULED) -> subprocess.Popen[bytes]:
        return self.start(
            "-m", "celery", "-A", "config", "worker", "--concurrency", "1", "--queues", names
        )

    def ask(self, statement: str) -> Any:
        with psycopg.connect(self.database) as connection:
            row = connection.execute(statement).fetchone()
        assert row is not None
        return row[0]

    def wait_until(self, statement: str, wanted: Any, *, at_most_s: float = 400) -> None:
        deadline = time.monotonic() + at_most_s
        while (found := self.ask(statement)) != wanted:
            assert time.monotonic() < deadline, f"{statement}: {found}, not {wanted}"
            time.sleep(0.2)


@pytest.fixture(params=BROKERS)
def product(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Product]:
    server, broker = os.environ.get("SERVICES_DATABASE_URL"), os.environ.get(request.param)
    if not server or not broker:
        pytest.skip(f"SERVICES_DATABASE_URL or {request.param} is not set")
    name = f"gmp_services_{uuid.uuid4().hex[:8]}"
    own = Product(tmp_path, urlunsplit(urlsplit(server)._replace(path=f"/{name}")), broker)
    own.must("migrate", "--verbosity", "0")
    subprocess.run(
        [sys.executable, "-m", "celery", "-A", "config", "purge", "-f", "-Q", ",".join(queues.ALL)],
        cwd=ROOT, env=own.environment, check=True, capture_output=True, timeout=400,
    )  # fmt: skip
    yield own
    own.kill()
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        )


def test_a_task_of_a_killed_worker_is_done_once_and_the_trail_verifies(product: Product) -> None:
    product.must("shell", "-v0", "-c", OVERDUE)
    first = product.worker()
    time.sleep(3)
    os.killpg(first.pid, signal.SIGKILL)
    product.must("shell", "-v0", "-c", QUEUE)

    product.worker()
    product.wait_until("SELECT count(*) FROM quality_reminder", 1)
    product.start("manage.py", "sequencer")
    product.start("manage.py", "signer")
    product.wait_until(
        "SELECT (SELECT count(*) FROM audit.entry) - (SELECT count(*) FROM audit.leaf)", 0
    )
    product.wait_until(
        "SELECT (SELECT max(size) FROM audit.checkpoint) = (SELECT count(*) FROM audit.leaf)", True
    )

    verified = product.manage("trail", "verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    in_task = (
        "SELECT count(*) FROM audit.projection WHERE record = 'quality_reminder' "
        "AND source LIKE 'task:compliance.quality.tasks.remind_of_overdue_work:%' AND actor <> ''"
    )
    assert product.ask(in_task) == 1


def test_the_application_role_cannot_touch_the_trail_of_a_server(product: Product) -> None:
    product.must("shell", "-v0", "-c", OVERDUE)
    forbidden = [
        "INSERT INTO audit.entry (entry_id, xid, body, digest) VALUES (1, '1', '', sha256(''))",
        "UPDATE audit.entry SET body = ''",
        "DELETE FROM audit.entry",
        "TRUNCATE audit.entry",
        "ALTER TABLE audit.entry DISABLE TRIGGER ALL",
        "UPDATE quality_deviation SET title = 'no act'",
    ]

    refused = 0
    for statement in forbidden:
        with (
            psycopg.connect(product.database, options="-c role=gmp_app") as connection,
            pytest.raises(psycopg.Error),
        ):
            connection.execute(statement)  # type: ignore[arg-type]
        refused += 1

    assert refused == len(forbidden)
