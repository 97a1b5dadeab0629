"""Write whole files that are on the disk, or not there at all, when the call returns."""

import os
from pathlib import Path

from compliance.trail import unfinished
from compliance.trail.unfinished import Unfinished


def replace(path: Path, content: str | bytes, *, mode: int = 0o644) -> None:
    """Put a file in place of the one that is there; a crash leaves the one or the other."""
    with unfinished.beside(path, mode=mode) as fresh:
        _write(fresh, content)
        fresh.path.replace(path)
    sync(path.parent)


def create(path: Path, content: str | bytes, *, mode: int = 0o644) -> None:
    """Write a file that is not there yet, or raise `FileExistsError`."""
    with unfinished.beside(path, mode=mode) as fresh:
        _write(fresh, content)
        path.hardlink_to(fresh.path)  # unlike a rename, never overwrites
    sync(path.parent)


def read(path: Path) -> bytes:
    """Return the bytes of a file, as `read_bytes` does; what is a pipe now is empty, not waited for."""
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
        return file.read() or b""


def read_file(path: Path) -> bytes | None:
    """Return the bytes of a file; nothing where there is none, or something else in its place."""
    return read(path) if path.is_file() else None


def sync(folder: Path) -> None:
    """Put the names in a folder on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write(fresh: Unfinished, content: str | bytes) -> None:
    fresh.file.write(content.encode() if isinstance(content, str) else content)
    fresh.settle()
