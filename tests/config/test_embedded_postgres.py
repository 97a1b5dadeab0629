"""The embedded PostgreSQL: one server for all who use it, whatever is killed."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from config.embedded import accounts, bundled, folders, launcher, postgres, processes
from config.embedded.failure import EmbeddedServiceFailed

ROOT = Path(__file__).resolve().parents[2]
IS_ROOT = os.geteuid() == 0
needs_root = pytest.mark.skipif(not IS_ROOT, reason="only root changes its user")

USER = """
import os, sys
from pathlib import Path
from config.embedded import postgres
var = Path(sys.argv[1])
print(postgres.ensure_postgres(var), flush=True)
print(postgres.service(var).pid, flush=True)
for line in sys.stdin:
    if line == "again\\n":
        postgres.ensure_postgres(var)
        print(postgres.service(var).pid, flush=True)
    if line == "fork\\n":
        child = os.fork()
        if child == 0:
            postgres.ensure_postgres(var)
            sys.exit()
        os.waitpid(child, 0)
        print("forked", flush=True)
"""


class User:
    """A process that uses the server of a folder until it is told to leave."""

    def __init__(self, var: Path, *, script: str = USER, python_path: str = "") -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", script, str(var)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(filter(None, [python_path, str(ROOT)])),
            },
            text=True,
        )

    def joined(self) -> "User":
        self.folder = Path(self.hears())
        self.server = int(self.hears())
        return self

    def hears(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            assert self.process.stderr is not None
            raise AssertionError(self.process.stderr.read())
        return line.strip()

    def says(self, word: str) -> str:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{word}\n")
        self.process.stdin.flush()
        return self.hears()

    def leaves(self) -> None:
        self.process.communicate(timeout=240)
        assert self.process.returncode == 0

    def is_killed(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=240)


Join = Callable[..., User]


@pytest.fixture(scope="module")
def initialised(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A var folder with a database that is not running."""
    var = tmp_path_factory.mktemp("initialised")
    User(var).joined().leaves()
    return var


@pytest.fixture
def start() -> Iterator[Callable[..., User]]:
    """Start users that may not have the server yet."""
    users: list[tuple[User, Path]] = []

    def started(var: Path, **options: str) -> User:
        users.append((User(var, **options), var))
        return users[-1][0]

    yield started
    for user, var in users:
        user.is_killed()
        postgres.service(var).stop()


@pytest.fixture
def join(start: Callable[..., User]) -> Join:
    return lambda var, **options: start(var, **options).joined()


@pytest.fixture
def copied(initialised: Path) -> Iterator[Callable[[Path], Path]]:
    """Make other var folders from the initialised one."""
    made: list[Path] = []

    def copy(var: Path) -> Path:
        var.mkdir(parents=True)
        made.append(var)
        subprocess.run(["cp", "-a", str(initialised / "postgres"), str(var)], check=True)
        return var

    yield copy
    for var in made:
        postgres.service(var).stop()


def ask(folder: Path, question: str) -> str:
    with psycopg.connect(host=str(folder), user="postgres", dbname="postgres") as connection:
        row = connection.execute(question.encode()).fetchone()
    assert row is not None
    return str(row[0])


def do(folder: Path, statement: str) -> None:
    with psycopg.connect(host=str(folder), user="postgres", dbname="postgres") as connection:
        connection.execute(statement.encode())


def test_the_cluster_is_safe_and_the_same_everywhere(initialised: Path, join: Join) -> None:
    user = join(initialised)

    found = {
        name: ask(user.folder, f"SHOW {name}")
        for name in (
            *(
                "data_checksums",
                "fsync",
                "server_encoding",
                "TimeZone",
                "listen_addresses",
            ),
            *("max_connections", "max_prepared_transactions", "server_version_num"),
        )
    }

    assert found.pop("server_version_num").startswith(bundled.MAJOR)
    assert found == {
        "data_checksums": "on",
        "fsync": "on",
        "server_encoding": "UTF8",
        "TimeZone": "UTC",
        "listen_addresses": "",
        "max_connections": "100",
        "max_prepared_transactions": "10",
    }
    assert ask(user.folder, "SELECT datcollate FROM pg_database LIMIT 1") == "C"
    assert ask(user.folder, "SELECT rolsuper FROM pg_roles WHERE rolname = 'postgres'") == "True"


def test_only_the_servers_user_can_reach_its_socket(initialised: Path, join: Join) -> None:
    folder = join(initialised).folder

    modes = [
        stat.S_IMODE(path.stat().st_mode) for path in (folder, folder / folders.POSTGRES_SOCKET)
    ]

    assert modes == [0o700, 0o700]


def test_the_last_user_stops_the_server_and_the_next_finds_its_data(
    initialised: Path, join: Join
) -> None:
    first = join(initialised)
    do(first.folder, "CREATE TABLE kept AS SELECT 42 AS answer")
    first.leaves()
    assert not processes.is_alive(first.server)

    second = join(initialised)

    assert ask(second.folder, "TABLE kept") == "42"


def test_four_that_start_at_once_for_the_first_time_share_one_server(
    tmp_path: Path, start: Callable[..., User]
) -> None:
    users = [start(tmp_path) for _ in range(4)]
    servers = {user.joined().server for user in users}
    assert len(servers) == 1

    for user in users[1:]:
        user.leaves()
    alive_with_one_user = processes.is_alive(min(servers))
    users[0].leaves()

    assert alive_with_one_user
    assert not processes.is_alive(min(servers))


def test_a_killed_server_is_started_again_with_what_was_committed(
    initialised: Path, join: Join
) -> None:
    user = join(initialised)
    do(user.folder, "CREATE TABLE committed AS SELECT 7 AS answer")
    os.kill(user.server, signal.SIGKILL)
    processes.wait_until_gone(user.server, at_most_s=5)

    server = int(user.says("again"))

    assert server != user.server
    assert ask(user.folder, "TABLE committed") == "7"


def test_a_killed_server_is_started_again_when_its_last_query_has_let_go(
    initialised: Path, join: Join
) -> None:
    user = join(initialised)
    with psycopg.connect(host=str(user.folder), user="postgres", dbname="postgres") as connection:
        # Busy, not sleeping: a backend that sleeps notices at once that its server is gone.
        connection.pgconn.send_query(b"SELECT count(*) FROM generate_series(1, 8000000)")
        while (
            ask(user.folder, "SELECT count(*) FROM pg_stat_activity WHERE state = 'active'") != "2"
        ):
            pass
        os.kill(user.server, signal.SIGKILL)
        processes.wait_until_gone(user.server, at_most_s=5)

        server = int(user.says("again"))
        connection.close()

    log = folders.log_path(initialised, name="postgres").read_text()
    assert "shared memory block" in log
    assert server != user.server


def test_a_killed_user_does_not_keep_the_server_from_stopping(
    initialised: Path, join: Join
) -> None:
    killed, last = join(initialised), join(initialised)

    killed.is_killed()
    alive_after_the_kill = processes.is_alive(last.server)
    last.leaves()

    assert alive_after_the_kill
    assert not processes.is_alive(last.server)


def test_a_forked_child_that_ends_leaves_the_server_to_its_parent(
    initialised: Path, join: Join
) -> None:
    user = join(initialised)

    user.says("fork")

    assert processes.is_alive(user.server)
    assert int(user.says("again")) == user.server


def test_a_first_start_that_was_killed_leaves_nothing_half(tmp_path: Path, join: Join) -> None:
    half = tmp_path / "postgres.unfinished"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")

    user = join(tmp_path)

    assert ask(user.folder, "SELECT 1") == "1"
    assert not half.exists()


def test_the_pid_of_a_dead_server_may_be_another_process_by_now(
    tmp_path: Path, copied: Callable[[Path], Path], join: Join
) -> None:
    var = copied(tmp_path / "var")
    account = accounts.for_data(var / "postgres")
    other = subprocess.Popen(
        account.command(["/bin/sleep", "60"]),
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        pid_file = var / "postgres" / "postmaster.pid"
        pid_file.write_text(f"{other.pid}\n{var}/postgres\n1\n5432\n{var}/run\n\n  1 1\nready   \n")
        account.give(pid_file)

        user = join(var)

        assert user.server != other.pid
    finally:
        other.kill()
        other.wait()


def test_a_long_path_has_its_socket_elsewhere_and_for_its_user_only(
    tmp_path: Path, copied: Callable[[Path], Path], join: Join
) -> None:
    var = copied(tmp_path / ("long" * 20) / ("path" * 20))

    user = join(var)

    try:
        assert user.folder.parent == folders.SHORT
        assert stat.S_IMODE(user.folder.stat().st_mode) == 0o700
        assert ask(user.folder, "SELECT 1") == "1"
    finally:
        user.leaves()
        shutil.rmtree(user.folder)


def test_a_socket_folder_that_others_can_enter_is_refused(tmp_path: Path) -> None:
    var = tmp_path / ("long" * 40)
    folder = folders.run_folder(var)
    folder.mkdir(mode=0o700)
    folder.chmod(0o777)

    try:
        with pytest.raises(EmbeddedServiceFailed, match="open to other users"):
            folders.make_run_folder(var, account=accounts.mine())
    finally:
        folder.rmdir()


@needs_root
def test_a_socket_folder_that_another_user_made_is_refused(tmp_path: Path) -> None:
    var = tmp_path / ("long" * 40)
    folder = folders.run_folder(var)
    folder.mkdir(mode=0o700)
    os.chown(folder, 12345, 12345)

    try:
        with pytest.raises(EmbeddedServiceFailed, match="is of uid 12345"):
            folders.make_run_folder(var, account=accounts.mine())
    finally:
        folder.rmdir()


def test_data_of_another_major_version_is_left_alone(
    tmp_path: Path, copied: Callable[[Path], Path]
) -> None:
    var = copied(tmp_path / "var")
    (var / "postgres" / "PG_VERSION").write_text("17\n")

    with pytest.raises(EmbeddedServiceFailed, match="made by PostgreSQL 17"):
        postgres.service(var).start()


def test_a_server_that_cannot_start_says_why(
    tmp_path: Path, copied: Callable[[Path], Path]
) -> None:
    var = copied(tmp_path / "var")
    (var / "postgres" / "postgresql.conf").write_text("no_such_setting = 1\n")

    with pytest.raises(EmbeddedServiceFailed, match="no_such_setting"):
        postgres.service(var).start()


def capabilities(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    found = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
    assert found["CapEff"] == found["CapPrm"] == found["CapAmb"]
    return int(found["CapEff"], 16)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user can walk through, which pytest's own is not."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@needs_root
def test_as_root_the_server_is_another_user_without_any_capability(
    open_folder: Path, copied: Callable[[Path], Path], join: Join
) -> None:
    user = join(copied(open_folder / "var"))

    assert Path(f"/proc/{user.server}").stat().st_uid != 0
    assert capabilities(user.server) == 0
    user.leaves()


@needs_root
def test_as_root_below_a_closed_folder_the_server_may_read_through_and_nothing_is_opened(
    open_folder: Path, copied: Callable[[Path], Path], join: Join
) -> None:
    closed = open_folder / "closed"
    closed.mkdir(mode=0o700)

    user = join(copied(closed / "var"))

    assert capabilities(user.server) == 1 << launcher.CAP_DAC_READ_SEARCH
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    assert closed.stat().st_uid == 0
    assert ask(user.folder, "SELECT 1") == "1"
    user.leaves()


@needs_root
def test_as_root_the_programs_too_may_lie_below_a_closed_folder(
    open_folder: Path, join: Join
) -> None:
    closed = open_folder / "closed"
    closed.mkdir(mode=0o700)
    package = bundled.programs().parents[1]
    for folder in (
        package / f"pginstall{bundled.MAJOR}",
        package.parent / f"{package.name}.libs",
    ):
        if folder.exists():
            shutil.copytree(folder, closed / folder.relative_to(package.parent))
    (closed / package.name / "__init__.py").touch()

    user = join(open_folder / "var", python_path=str(closed))

    assert str(closed) in Path(f"/proc/{user.server}/cmdline").read_text()
    user.leaves()


@needs_root
def test_as_root_without_the_right_to_read_through_it_says_what_to_do(
    tmp_path: Path,
) -> None:
    setpriv = shutil.which("setpriv") or pytest.skip("there is no setpriv here")

    tried = subprocess.run(
        [
            *(setpriv, "--bounding-set=-dac_read_search,-dac_override"),
            *(sys.executable, "-c", USER, str(tmp_path)),
        ],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )

    assert tried.returncode != 0
    assert "run as a normal user, or set DATABASE_URL" in tried.stderr


NORMAL_USER = (
    """
import os, sys, encodings.idna, pwd
from config.embedded import bundled, postgres
program = bundled.programs() / "postgres"
os.setgroups([]); os.setgid(65534); os.setuid(65534)
if not os.access(program, os.X_OK):
    print("unreachable", flush=True); sys.exit()
"""
    + USER
)


@needs_root
def test_a_normal_user_runs_the_server_as_himself(
    open_folder: Path, start: Callable[..., User]
) -> None:
    var = open_folder / "var"
    var.mkdir()
    os.chown(var, 65534, 65534)

    user = start(var, script=NORMAL_USER)
    first = user.hears()
    if first == "unreachable":
        pytest.skip("a normal user cannot reach the programs here")
    server = int(user.hears())

    assert Path(f"/proc/{server}").stat().st_uid == 65534
    assert ask(Path(first), "SELECT 1") == "1"
    user.leaves()
    assert not processes.is_alive(server)


@needs_root
def test_root_runs_the_server_of_a_normal_users_folder_as_that_user(
    open_folder: Path, copied: Callable[[Path], Path], join: Join
) -> None:
    var = copied(open_folder / "var")
    subprocess.run(["chown", "-R", "65534:65534", str(var / "postgres")], check=True)

    user = join(var)

    assert Path(f"/proc/{user.server}").stat().st_uid == 65534
    user.leaves()


@needs_root
def test_a_normal_user_is_told_whose_folder_it_is(open_folder: Path) -> None:
    data = open_folder / "postgres"
    data.mkdir()

    os.seteuid(65534)
    try:
        with pytest.raises(EmbeddedServiceFailed, match="belongs to root"):
            accounts.for_data(data)
    finally:
        os.seteuid(0)
