"""Remember the largest tree a witness cosigned of each log, on disk, before anybody is told."""

import fcntl
import os
import secrets
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import IO

from compliance.trail.tlog import checkpoint, note
from compliance.trail.tlog.checkpoint import Checkpoint


class MemoryUnusable(Exception):
    """The folder cannot be used: taken by another witness, or damaged. Never begin anew then."""


class Slot:
    """What is remembered of one origin; used by whoever holds it (`Memory.held`)."""

    def __init__(self, path: Path, origin: str) -> None:
        self._path = path
        self.last = _read(path, origin)

    def keep(self, current: Checkpoint, text: str) -> None:
        """Store a note for good; after a kill at any moment the old or the new one is there."""
        fresh = self._path.with_name(f".{self._path.name}.{secrets.token_hex(4)}")
        try:
            with fresh.open("x", encoding="utf-8", newline="") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self._path)
        finally:
            fresh.unlink(missing_ok=True)
        _sync(self._path.parent)
        self.last = current


class Memory:
    """A folder with one note for each log, used by one process at a time."""

    def __init__(self, folder: Path, origins: Iterable[str]) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = _taken(folder)
        for left in folder.glob(".*.note.*"):  # of a writer that was killed
            left.unlink()
        self._slots = {
            origin: (threading.Lock(), Slot(folder / _file_name(origin), origin))
            for origin in origins
        }

    @contextmanager
    def held(self, origin: str) -> Iterator[Slot]:
        """Let one thread at a time compare and store (tlog-witness: the race of N and N+K)."""
        lock, slot = self._slots[origin]
        with lock:
            yield slot

    def close(self) -> None:
        """Give the folder free."""
        self._lock.close()


def _file_name(origin: str) -> str:
    return f"{sha256(origin.encode()).hexdigest()}.note"


def _read(path: Path, origin: str) -> Checkpoint | None:
    try:
        last = Checkpoint.parse(note.split(path.read_bytes())[0])
    except FileNotFoundError:
        return None
    except (note.NoteInvalid, checkpoint.CheckpointInvalid) as error:
        raise MemoryUnusable(f"{path} is damaged: {error}. Restore it, do not delete it") from error
    if last.origin != origin:
        raise MemoryUnusable(f"{path} is of {last.origin}, not of {origin}")
    return last


def _taken(folder: Path) -> IO[str]:
    file = (folder / "lock").open("a")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        raise MemoryUnusable(f"another witness uses {folder}") from error
    return file


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
