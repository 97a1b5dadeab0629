"""The application behind PgBouncer in transaction mode: every transaction on another session."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, urlsplit, urlunsplit

import psycopg
import pytest
from psycopg import sql

from tests.services.conftest import ROOT, Product, copied, drop

pytestmark = pytest.mark.services

PORT = 16432
POOL = 3  # sessions for all writers
WRITERS, ACTS = 8, 40
# Acts with savepoints and rolled back ones, and between them changes outside of any act.
WRITE = """
import sys
from datetime import datetime, UTC
from django.db import DatabaseError, transaction
from compliance.quality.models import DeviationNote
from compliance.access.models import User
from compliance.trail import recording
from compliance.trail.recording import System
from compliance.access.actions import Action
name, acts = sys.argv[1], int(sys.argv[2])
at = datetime(2026, 3, 2, 12, tzinfo=UTC)
kept = refused = 0
for number in range(acts):
    try:
        with recording.recording(Action.PERSON_CREATED, actor=System(name), at=at, reason="pooled"):
            User.objects.create(username=f"{name}.{number}", full_name=f"{name} {number}",
                                password="x", created_at=at)
            try:
                with transaction.atomic():
                    User.objects.create(username=f"{name}.{number}.x", full_name="undone",
                                        password="x", created_at=at)
                    raise RuntimeError
            except RuntimeError:
                pass
            if number % 5 == 4:
                raise RuntimeError
        kept += 1
    except RuntimeError:
        pass
    try:  # whoever had this session before may have left an act behind
        User.objects.filter(username=f"{name}.0").update(full_name="nobody's doing")
    except DatabaseError:
        refused += 1
print(kept, refused)
"""


@dataclass(frozen=True)
class Pooled:
    login: str
    product: Product
    environment: dict[str, str]

    def writer(self, name: str) -> "subprocess.Popen[str]":
        script = f"import sys; sys.argv = ['', {name!r}, '{ACTS}']\n{WRITE}"
        return subprocess.Popen(
            [sys.executable, "manage.py", "shell", "-v0", "-c", script], cwd=ROOT, text=True,
            env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip


@pytest.fixture
def pooled(template: str, tmp_path: Path) -> Iterator[Pooled]:
    server = os.environ.get("SERVICES_DATABASE_URL")
    pgbouncer = shutil.which("pgbouncer") or shutil.which("/usr/sbin/pgbouncer")
    if not server or not pgbouncer:
        if server and os.environ.get("CI"):
            pytest.fail("pgbouncer is needed here")
        pytest.skip("SERVICES_DATABASE_URL is not set, or there is no pgbouncer")
    login = f"gmp_pooled_{uuid.uuid4().hex[:8]}"
    product = copied(server, template, tmp_path, "redis://")
    url = urlsplit(product.database)
    with psycopg.connect(server, autocommit=True) as connection:
        _make_login(connection, login)
    # Not below pytest's folder, which nobody else may enter.
    folder = Path(tempfile.mkdtemp(prefix="gmp-pooled-"))
    folder.chmod(0o755)
    pool = _start(pgbouncer, folder, url, login)
    through = urlunsplit(url._replace(netloc=f"{login}@127.0.0.1:{PORT}"))
    try:
        _wait(login, product.name)
        yield Pooled(
            login,
            product,
            {
                **product.environment,
                "DATABASE_DEFAULT_URL": through,
                "DATABASE_OUTSIDE_URL": through,
            },
        )
    finally:
        product.kill()
        pool.terminate()
        pool.wait(20)
        shutil.rmtree(folder)
        drop(server, product.name)
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(login)))


def _make_login(connection: psycopg.Connection[tuple[object, ...]], login: str) -> None:
    """Make a login as docs/operations.md says for poolers: it has role and settings by itself."""
    one = sql.Identifier(login)
    connection.execute(sql.SQL("CREATE ROLE {} LOGIN IN ROLE gmp_app").format(one))
    for setting, value in {
        "role": "gmp_app", "TimeZone": "UTC", "search_path": "public", "DateStyle": "ISO",
        "IntervalStyle": "postgres", "extra_float_digits": "1", "bytea_output": "hex",
    }.items():  # fmt: skip
        connection.execute(
            sql.SQL("ALTER ROLE {} SET {} = {}").format(
                one, sql.Identifier(setting), sql.Literal(value)
            )
        )


def _start(program: str, folder: Path, url: SplitResult, login: str) -> "subprocess.Popen[bytes]":
    config, users = folder / "pgbouncer.ini", folder / "users.txt"
    users.write_text(f'"{login}" ""\n')
    config.write_text(
        f"[databases]\n* = host={url.hostname} port={url.port or 5432}\n[pgbouncer]\n"
        f"listen_addr=127.0.0.1\nlisten_port={PORT}\nunix_socket_dir=\n"
        f"auth_type=trust\nauth_file={users}\npool_mode=transaction\ndefault_pool_size={POOL}\n"
        "ignore_startup_parameters=options\n"
    )
    as_other: dict[str, str] = {}
    if os.geteuid() == 0:  # PgBouncer does not run as root
        as_other = {"user": "nobody"}
        for path in (config, users):
            path.chmod(0o644)
    return subprocess.Popen([program, str(config)], **as_other)  # type: ignore[call-overload,no-any-return]


def _wait(login: str, database: str) -> None:
    deadline = time.monotonic() + 240
    while True:
        try:
            with psycopg.connect(host="127.0.0.1", port=PORT, user=login, dbname=database):
                return
        except psycopg.OperationalError:
            assert time.monotonic() < deadline
            time.sleep(0.2)


def test_writers_who_share_sessions_leave_nothing_to_each_other(pooled: Pooled) -> None:
    pooled.product.start("manage.py", "sequencer")
    writers = [pooled.writer(f"writer{number}") for number in range(WRITERS)]
    said = [writer.communicate(timeout=240) for writer in writers]
    assert [error for _, error in said if error] == []
    counts = [tuple(map(int, out.split())) for out, _ in said]
    ask = pooled.product.ask

    assert counts == [(ACTS - ACTS // 5, ACTS)] * WRITERS
    assert ask("SELECT count(*) FROM access_user WHERE full_name = 'undone'") == 0
    assert ask("SELECT count(*) FROM access_user WHERE full_name LIKE 'nobody%'") == 0
    pooled.product.wait_until(
        "SELECT (SELECT count(*) FROM audit.entry) - (SELECT size FROM audit.projected)", 0
    )
    own = (
        "SELECT count(*) FROM audit.projection p JOIN access_user u ON u.id::text = p.record_id "
        "WHERE p.record = 'access_user' AND u.username LIKE p.actor || '.%'"
    )
    assert ask(own) == WRITERS * (ACTS - ACTS // 5)
    pooled.product.start("manage.py", "signer")
    pooled.product.wait_until(
        "SELECT (SELECT max(size) FROM audit.checkpoint) = (SELECT count(*) FROM audit.leaf)", True
    )
    verified = pooled.product.manage("trail", "verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr


def test_a_login_without_the_role_is_refused_behind_a_pooler(pooled: Pooled) -> None:
    with psycopg.connect(os.environ["SERVICES_DATABASE_URL"], autocommit=True) as connection:
        connection.execute(sql.SQL("ALTER ROLE {} RESET role").format(sql.Identifier(pooled.login)))
        connection.execute(  # the sessions of the pool are older
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s",
            [pooled.login],
        )
    writer = pooled.writer("writer")
    _, error = writer.communicate(timeout=240)

    assert "not as gmp_app: behind a pooler, let its login have the role by itself" in error
