"""Claim a var folder for one process, which writes in `up.json` what runs on it."""

import fcntl
import json
import os
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self


class AlreadyUp(RuntimeError):
    """Another process runs everything on this folder already."""


class Status:
    """Claim a var folder for this process; a context that gives it back.

    The claim is a lock that a killed process loses by itself; the file is for people and tests.
    """

    def __init__(self, var: Path, *, started_at: datetime) -> None:
        self._path = var / "up.json"
        self._lock = var / "up.lock"
        self._started_at = started_at
        self._descriptor = -1

    def __enter__(self) -> Self:
        self._lock.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._lock, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(descriptor)
            raise AlreadyUp(f"already running{_where(self._path)}") from error
        self._descriptor = descriptor
        self._path.unlink(missing_ok=True)  # of one that was killed
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._path.unlink(missing_ok=True)
        os.close(self._descriptor)

    def write(self, *, url: str | None, pids: dict[str, int]) -> None:
        """Replace the file at once, so that a reader never sees half of it."""
        content = {
            "url": url,
            "started_at": self._started_at.isoformat(),
            "pids": {"up": os.getpid(), **pids},
        }
        unfinished = self._path.with_suffix(".unfinished")
        unfinished.write_text(json.dumps(content, indent=2) + "\n")
        unfinished.replace(self._path)


def _where(path: Path) -> str:
    try:
        content = json.loads(path.read_text())
    except (
        FileNotFoundError,
        json.JSONDecodeError,
    ):  # it is starting or stopping just now
        return ""
    where = f" at {content['url']}" if content["url"] else ""
    return f"{where} (process {content['pids']['up']})"
