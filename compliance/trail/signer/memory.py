"""Keep what was signed last on the signer's own disk, for one signer at a time."""

import fcntl
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from compliance.trail import durable
from compliance.trail.signer.failure import AlreadyRunning, StateCorrupt
from compliance.trail.tlog import canonical
from compliance.trail.tlog import note as notes
from compliance.trail.tlog.checkpoint import Checkpoint
from compliance.trail.tlog.key_history import KeyHistory

STATE, LOCK = "state.json", "lock"
VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """The note of the last checkpoint, and when it was signed."""

    note: str
    at: datetime

    @property
    def checkpoint(self) -> Checkpoint:
        """What was signed: log, size and root."""
        return Checkpoint.parse(notes.split(self.note)[0])


class Memory:
    """The state file of one signer, locked for as long as this lives."""

    def __init__(self, folder: Path) -> None:
        """Take the lock, or raise `AlreadyRunning`."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.path = folder / STATE
        self._lock = (folder / LOCK).open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._lock.close()
            raise AlreadyRunning(f"another signer holds {folder / LOCK}; stop it first") from error

    def close(self) -> None:
        """Give the lock back, as the end of the process would."""
        self._lock.close()

    def read(self, history: KeyHistory) -> Remembered | None:
        """Return what was signed last, None when there is no file, or raise `StateCorrupt`."""
        try:
            data = durable.read(self.path)
        except FileNotFoundError:
            return None
        try:
            found = parse(data)
            signed = history.signed_at(found.note)
            if signed is not None and signed != int(found.at.timestamp()):
                raise ValueError("the time is not the one in the signature")
        except ValueError as error:
            raise StateCorrupt(self.path, error) from error
        return found

    def write(self, remembered: Remembered) -> None:
        """Put it on the disk; when this returns, it is there after a power cut."""
        self._lock.fileno()  # raises without the lock
        durable.replace(self.path, _text(remembered), mode=0o600)


def parse(data: bytes) -> Remembered:
    """Read a state file, nothing verified, or raise `ValueError`."""
    match canonical.loads(data.removesuffix(b"\n")):
        case {"v": 1, "note": str(note), "at": str(at)}:
            remembered = Remembered(note=note, at=datetime.fromisoformat(at))
        case _:
            raise ValueError("not the members of a state of version 1")
    if _text(remembered).encode() != data:
        raise ValueError("not the form of a state of version 1")
    return remembered


def _text(remembered: Remembered) -> str:
    members: dict[str, canonical.Value] = {
        "v": VERSION,
        "note": remembered.note,
        "at": remembered.at.astimezone(UTC).isoformat(),
    }
    return canonical.dumps(members).decode() + "\n"
