"""The primary dies with work that its asynchronous standby does not have, and the standby takes over."""

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
import psycopg
import pytest

from config.embedded import accounts, folders, lease, postgres
from config.embedded.postgres import Postgres
from tests.attacks.test_trail_under_load import ROOT

STANDBY = "second"
# Writes so many vessels, each in a transaction of its own, seals them, and signs what may be signed.
ROUND = """
import os, sys
from pathlib import Path
from tests.hammer import installation
installation.set_up(Path(os.environ["GMP_VAR_DIR"]), create=sys.argv[1] == "create")
from django.conf import settings
from django.utils import timezone
from compliance.trail import checkpoints, keys, sequencer
from compliance.trail.signer import standbys
from tests import trail_log
standbys.WAIT_S = float(sys.argv[3])
for number in range(int(sys.argv[2])):
    trail_log.vessels(1, f"{os.getpid()}-{number}")
while sequencer.seal().count:
    pass
keys.ensure()
try:
    size = checkpoints.sign(timezone.now()).checkpoint.size
except standbys.StandbyBehind as behind:
    print("behind", behind)
else:
    print("signed", size)
checkpoints.publish(settings.PUBLISHED_DIR)
"""


@dataclass(frozen=True)
class Pair:
    """A primary and its standby, which look at one set of keys and published checkpoints."""

    primary: Path
    standby: Path

    def run(self, on: Path, *words: str, standbys: str = STANDBY) -> str:
        environment = {
            **os.environ, "GMP_VAR_DIR": str(on), "GMP_KEYS_DIR": str(self.primary / "keys"),
            "GMP_PUBLISHED_DIR": str(self.published), "GMP_STANDBYS": standbys,
            "DJANGO_SETTINGS_MODULE": "config.settings",
        }  # fmt: skip
        environment.pop("DATABASE_URL", None)
        done = subprocess.run(
            [sys.executable, *words], cwd=ROOT, env=environment, capture_output=True, text=True,
            check=False, timeout=600,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def round(self, on: Path, count: int, *, wait_s: float = 20, **more: str) -> str:
        return self.run(on, "-c", ROUND, "go", str(count), str(wait_s), **more).strip()

    @property
    def published(self) -> Path:
        return self.primary / "published"

    def size_published(self) -> int:
        return int((self.published / "latest").read_text().splitlines()[1])

    def size(self, on: Path) -> int:
        with connected(on, "gmp") as connection:
            row = connection.execute("SELECT size FROM audit.log_state").fetchone()
        assert row is not None
        return int(row[0])


def connected(var: Path, database: str = "postgres") -> psycopg.Connection[tuple[int]]:
    return psycopg.connect(
        host=str(folders.run_folder(var)), user=postgres.SUPERUSER, dbname=database, autocommit=True
    )


@pytest.fixture
def pair() -> Iterator[Pair]:
    # Not below pytest's own folder, which nobody else may enter: one server connects to the other.
    folder = Path(tempfile.mkdtemp(prefix="gmp-pair-"))
    folder.chmod(0o755)
    made = Pair(folder / "primary", folder / STANDBY)
    try:
        postgres.ensure_postgres(made.primary)
        made.run(made.primary, "-c", ROUND, "create", "5", "0", standbys="")
        _copy(made)
        postgres.ensure_postgres(made.standby)
        yield made
    finally:
        for var in (made.standby, made.primary):
            lease.release(postgres.service(var))
        shutil.rmtree(folder)


def _copy(pair: Pair) -> None:
    """Make the standby as PostgreSQL's own program does."""
    data = Postgres(var=pair.standby).data
    account = accounts.for_data(Postgres(var=pair.primary).data)
    data.mkdir(parents=True, mode=0o700)
    account.give(data)
    source = folders.run_folder(pair.primary)
    command = [
        str(postgres.programs() / "pg_basebackup"), "--host", str(source), "--username",
        postgres.SUPERUSER, "--pgdata", str(data), "--checkpoint", "fast", "--wal-method", "stream",
    ]  # fmt: skip
    folder = postgres.programs()
    reach = [folder / "pg_basebackup", folder.parent / "lib", folder.parent / "share", data, source]
    done = subprocess.run(
        account.command(command, reach=reach), check=False, cwd="/", env=postgres.ENVIRONMENT,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    conninfo = f"host={source} user={postgres.SUPERUSER} application_name={STANDBY}"
    with (data / "postgresql.auto.conf").open("a") as file:
        file.write(f"primary_conninfo = '{conninfo}'\n")
    (data / "standby.signal").touch()
    account.give(data / "standby.signal")


def receiver(var: Path) -> psutil.Process:
    """Return the process of a standby that receives what the primary writes."""
    pid = int((Postgres(var=var).data / "postmaster.pid").read_text().splitlines()[0])
    (found,) = [
        one for one in psutil.Process(pid).children() if "walreceiver" in " ".join(one.cmdline())
    ]
    return found


def promote(var: Path) -> None:
    deadline = time.monotonic() + 240
    while True:
        try:
            with connected(var) as connection:
                assert connection.execute("SELECT pg_promote()").fetchone() == (True,)
            return
        except psycopg.OperationalError:
            assert time.monotonic() < deadline
            time.sleep(0.2)


def test_no_checkpoint_is_ahead_of_the_standby_that_takes_over(pair: Pair) -> None:
    with connected(pair.primary) as connection:
        connection.execute("GRANT pg_read_all_stats TO gmp_signer")
    signed = pair.round(pair.primary, 10)
    size = pair.size(pair.primary)
    assert signed == f"signed {size}"

    stopped = receiver(pair.standby)
    stopped.suspend()
    assert pair.round(pair.primary, 50, wait_s=0.5).startswith("behind the log of")
    assert pair.size(pair.primary) == size + 50
    assert pair.size_published() == size

    postmaster = Postgres(var=pair.primary).data / "postmaster.pid"
    os.kill(int(postmaster.read_text().splitlines()[0]), signal.SIGKILL)
    stopped.kill()  # with what was on its way: the standby recovers from what it has on disk
    promote(pair.standby)

    assert pair.size(pair.standby) == size
    assert pair.round(pair.standby, 7, standbys="") == f"signed {size + 7}"
    assert pair.size_published() == size + 7
    assert "INTACT" in pair.run(pair.standby, "manage.py", "trail", "verify", standbys="")


def test_a_standby_that_is_away_or_cannot_be_seen_is_named(pair: Pair) -> None:
    assert "the standby second cannot be seen: GRANT" in pair.round(pair.primary, 1, wait_s=0.5)
    said = pair.round(pair.primary, 1, wait_s=0, standbys="third")
    assert "the standby third is not connected" in said
