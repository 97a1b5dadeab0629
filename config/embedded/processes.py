"""Start, watch and end processes that are not our children."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

PAUSE_S = 0.02
# The shell leaves at once, so what it runs is nobody's child and no zombie of ours when it ends.
DETACHED = ("/bin/sh", "-c", '"$@" >&2 & echo $!', "sh")


def detach(command: Sequence[str], *, log: BinaryIO, environment: Mapping[str, str]) -> int | None:
    """Run a command that holds DETACHED in a session of its own; None when it could not begin."""
    begun = subprocess.run(
        command,
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=log,
        cwd="/",
        env=environment,
        start_new_session=True,
    )
    return int(begun.stdout) if begun.returncode == 0 else None


def is_alive(pid: int) -> bool:
    """Say whether a process exists and is more than a zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    try:
        status = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return not Path("/proc/self/stat").exists()  # macOS has no /proc
    return status.rpartition(b")")[2].split()[0] not in {b"Z", b"X"}


def is_running_on(pid: int, path: Path) -> bool:
    """Say whether a process is alive and has this path on its command line, not just its pid."""
    if not is_alive(pid):
        return False
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        listing = ["/bin/ps", "-ww", "-o", "command=", "-p", str(pid)]  # macOS
        words = subprocess.run(listing, check=False, capture_output=True).stdout
    return os.fsencode(path) in words


def wait_until_gone(pid: int, *, at_most_s: float) -> bool:
    deadline = time.monotonic() + at_most_s
    while is_alive(pid):
        if time.monotonic() > deadline:
            return False
        time.sleep(PAUSE_S)
    return True


def end(pid: int, *, signals: Sequence[tuple[signal.Signals, float]]) -> bool:
    """Send signals, each with its grace in seconds, until the process is gone."""
    for kind, grace_s in signals:
        try:
            os.kill(pid, kind)
        except ProcessLookupError:
            return True
        if wait_until_gone(pid, at_most_s=grace_s):
            return True
    return False
