"""The product on servers of the machine, in processes of its own, on copies of one migrated database."""

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

ROOT = Path(__file__).resolve().parents[2]
BROKERS = ["SERVICES_REDIS_URL", "SERVICES_RABBITMQ_URL"]


class Product:
    """The product in processes of its own, on one database and one broker."""

    def __init__(self, folder: Path, database: str, broker: str) -> None:
        self.environment = {
            **os.environ, "DATABASE_URL": database, "CELERY_BROKER_URL": broker,
            "GMP_VAR_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "config.settings",
        }  # fmt: skip
        self.database = database
        self.children: list[subprocess.Popen[bytes]] = []

    @property
    def name(self) -> str:
        return urlsplit(self.database).path.removeprefix("/")

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


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the name of a migrated database, which nobody works in."""
    server = os.environ.get("SERVICES_DATABASE_URL")
    if not server:
        pytest.skip("SERVICES_DATABASE_URL is not set")
    name = f"gmp_services_{uuid.uuid4().hex[:8]}_template"
    Product(tmp_path_factory.mktemp("template"), at(server, name), "redis://").must(*MIGRATE)
    yield name
    drop(server, name)


MIGRATE = ("migrate", "--verbosity", "0")


def at(server: str, database: str) -> str:
    return urlunsplit(urlsplit(server)._replace(path=f"/{database}"))


def copied(server: str, template: str, folder: Path, broker: str) -> Product:
    """Return the product on a copy; what a copy has not, rights on the database and keys, it makes."""
    name = f"gmp_services_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
    own = Product(folder, at(server, name), broker)
    own.must(*MIGRATE)
    return own


def drop(server: str, database: str) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database))
        )


@pytest.fixture(params=BROKERS)
def product(request: pytest.FixtureRequest, template: str, tmp_path: Path) -> Iterator[Product]:
    broker = os.environ.get(request.param)
    if not broker:
        pytest.skip(f"{request.param} is not set")
    server = os.environ["SERVICES_DATABASE_URL"]
    own = copied(server, template, tmp_path, broker)
    subprocess.run(
        [sys.executable, "-m", "celery", "-A", "config", "purge", "-f", "-Q", ",".join(queues.ALL)],
        cwd=ROOT, env=own.environment, check=True, capture_output=True, timeout=400,
    )  # fmt: skip
    yield own
    own.kill()
    drop(server, own.name)
