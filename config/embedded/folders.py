"""Where an embedded server keeps its sockets and its log."""

import hashlib
import os
import stat
import sys
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from config.embedded.accounts import Account
from config.embedded.failure import EmbeddedServiceFailed

POSTGRES_SOCKET = ".s.PGSQL.5432"
VALKEY_SOCKET = "valkey.sock"
SOCKET_PATH_BYTES = 103 if sys.platform == "darwin" else 107  # sun_path less its final NUL
LOG_BYTES = 8 * 1024 * 1024
# Not tempfile.gettempdir(): every process must find the same folder, whatever its TMPDIR.
SHORT = Path("/tmp")  # noqa: S108 -- owner and mode are checked before it is used


def run_folder(var: Path) -> Path:
    """Return the folder of the sockets: below var, unless its path is too long for a socket."""
    inside = var / "run"
    # libpq reads a comma in a host as the start of a second host.
    if len(os.fsencode(inside / POSTGRES_SOCKET)) <= SOCKET_PATH_BYTES and "," not in str(inside):
        return inside
    return SHORT / f"gmp-{hashlib.sha256(os.fsencode(var)).hexdigest()[:16]}"


def make_run_folder(var: Path, *, account: Account) -> Path:
    """Make the folder of the sockets the account's alone; refuse one that others prepared."""
    folder = run_folder(var)
    var.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid not in {
        account.uid,
        os.geteuid(),
    }:
        raise EmbeddedServiceFailed(
            f"{folder} must be a folder of uid {account.uid} and is of uid {status.st_uid}: "
            "remove it, or choose another folder with GMP_VAR_DIR"
        )
    if stat.S_IMODE(status.st_mode) & 0o077:
        raise EmbeddedServiceFailed(
            f"{folder} is open to other users (mode {stat.S_IMODE(status.st_mode):o}): "
            "remove it, or close it with chmod 700"
        )
    if status.st_uid != account.uid:
        account.give(folder)
    return folder


def open_log(var: Path, *, name: str) -> BinaryIO:
    """Open a server's log to append; start a new one when it has grown large."""
    path = log_path(var, name=name)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > LOG_BYTES:
        path.replace(path.with_suffix(".old.log"))
    return path.open("ab")


def log_path(var: Path, *, name: str) -> Path:
    return var / "log" / f"{name}.log"


def log_since(var: Path, *, name: str, position: int) -> str:
    """Return the last lines that a server wrote since a position."""
    try:
        with log_path(var, name=name).open("rb") as log:
            log.seek(position)
            lines = log.read().decode(errors="replace").strip().splitlines()
    except FileNotFoundError:
        return ""
    return "\n".join(lines[-15:])
