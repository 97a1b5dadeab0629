"""Write a file beside its place, under a lock, and clear what a killed writer left.

A writer holds its unfinished file locked (flock) until it is in its place. So an unfinished file that
can be locked has no writer any more; nobody guesses by its age or by a process id.
"""

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

ENDING = ".part"


@dataclass(frozen=True)
class Unfinished:
    """A new, empty and locked file, open for writing, and where it is until it is in its place."""

    path: Path
    file: BinaryIO
    mode: int

    def settle(self) -> None:
        """Put what was written on the disk, with the mode that the file will have in its place."""
        self.file.flush()
        now = stat.S_IMODE(os.fstat(self.file.fileno()).st_mode)
        os.fchmod(self.file.fileno(), now & self.mode)
        os.fsync(self.file.fileno())


@contextmanager
def beside(path: Path, *, mode: int = 0o666) -> Iterator[Unfinished]:
    """Yield the one unfinished file of a path; what is not put in its place is removed at the end.

    What a killed writer of the same path left is removed; a writer that lives is waited for.
    """
    place = path.with_name(f".{path.name}{ENDING}")
    # To be locked on NFS a file has to be open for writing: it is read-only from `settle` on.
    descriptor = _opened(place, mode | stat.S_IWUSR)
    with os.fdopen(descriptor, "wb") as file:
        try:
            yield Unfinished(place, file, mode)
        finally:
            if _is(place, descriptor):
                place.unlink()


def clear(folder: Path, begins: str) -> None:
    """Remove the unfinished files of all paths that begin so and whose writers are dead.

    For writers that know the name of a file only when it is whole; it reads the whole folder.
    """
    with os.scandir(folder) as found:
        left = [one for one in found if one.name.startswith(f".{begins}")]
    for one in left:
        if one.name.endswith(ENDING):
            # What is held, or gone, or another account's, stays.
            with suppress(OSError):
                _remove(Path(one.path), fcntl.LOCK_EX | fcntl.LOCK_NB)


def _opened(place: Path, mode: int) -> int:
    while True:
        try:
            descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
        except FileExistsError:
            with suppress(FileNotFoundError):
                _remove(place, fcntl.LOCK_EX)
            continue
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if _is(place, descriptor):
            return descriptor
        os.close(descriptor)  # somebody took it for a dead writer's, before it was locked


def _remove(place: Path, how: int) -> None:
    flags = os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        descriptor = os.open(place, os.O_WRONLY | flags)
    except PermissionError:  # settled when its writer was killed, and read-only: NFS alone keeps it
        descriptor = os.open(place, os.O_RDONLY | flags)
    try:
        fcntl.flock(descriptor, how)
        if _is(place, descriptor):
            place.unlink()
    finally:
        os.close(descriptor)


def _is(place: Path, descriptor: int) -> bool:
    """Tell whether a place has the very file that is open."""
    try:
        return os.path.samestat(place.lstat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
