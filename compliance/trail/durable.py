"""Write whole files that are on the disk, or not there at all, when the call returns."""

import os
import secrets
from pathlib import Path


def replace(path: Path, text: str, *, mode: int = 0o644) -> None:
    """Put a file in place of the one that is there; a crash leaves the one or the other."""
    _written(path, text, mode).replace(path)
    _sync_folder(path.parent)


def create(path: Path, content: str | bytes, *, mode: int = 0o644) -> None:
    """Write a file that is not there yet, or raise `FileExistsError`."""
    fresh = _written(path, content, mode)
    try:
        path.hardlink_to(fresh)  # unlike a rename, never overwrites
    finally:
        fresh.unlink()
    _sync_folder(path.parent)


def _written(path: Path, content: str | bytes, mode: int) -> Path:
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content.encode() if isinstance(content, str) else content)
        file.flush()
        os.fsync(file.fileno())
    return fresh


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
