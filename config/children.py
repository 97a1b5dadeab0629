"""One process under supervision: its command, its output, its end."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from config.embedded import accounts

LAST_LINES = 20
PAUSE_S = 0.02

Say = Callable[[str, str], None]  # the name of a child, a line of its output


@dataclass(frozen=True, kw_only=True)
class Child:
    """What to run, and how long it may take to end when asked."""

    name: str
    command: Sequence[str]  # the program as an absolute path
    grace_s: float = 10.0
    folder: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    descriptors: Sequence[int] = ()  # open files that it inherits, such as a listening socket


class Running:
    """A child that was started; in a session of its own, so that Ctrl-C does not reach it.

    On Linux it is told to end when the thread that made it ends, however that happens: make it in
    a thread that lives as long.
    """

    def __init__(self, child: Child, *, say: Say) -> None:
        self.child = child
        self.last_lines: deque[str] = deque(maxlen=LAST_LINES)
        self._say = say
        self._process = subprocess.Popen(
            _bound_to_us(child.command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=child.folder,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **child.environment},
            pass_fds=tuple(child.descriptors),
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, name=child.name, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def exit_code(self) -> int | None:
        """Return the exit code (negative: the signal), None while it runs."""
        return self._process.poll()

    def stop(self, *, cut_short: Callable[[], bool]) -> None:
        """Ask it to end, wait for its grace unless cut short, then end all that is left of it."""
        deadline = time.monotonic() + self.child.grace_s
        if self.exit_code() is None:
            self._process.terminate()
        while self.exit_code() is None and time.monotonic() < deadline and not cut_short():
            time.sleep(PAUSE_S)
        self.clear()

    def clear(self) -> None:
        """Kill what is left of its session and collect its last words."""
        with suppress(ProcessLookupError, PermissionError):  # all gone; macOS says the latter
            os.killpg(self.pid, signal.SIGKILL)  # its own children too: workers of a web server
        self._process.wait()
        self._reader.join(timeout=1.0)

    def _read(self) -> None:
        assert self._process.stdout is not None  # noqa: S101 -- it is a pipe
        with self._process.stdout as output:
            for raw in output:
                line = raw.decode(errors="replace").rstrip("\r\n")
                self.last_lines.append(line)
                self._say(self.child.name, line)


def _bound_to_us(command: Sequence[str]) -> list[str]:
    launcher = [
        sys.executable,
        "-I",
        "-S",
        str(accounts.LAUNCHER),
        "--parent",
        str(os.getpid()),
    ]
    return [*launcher, "--", *command]
