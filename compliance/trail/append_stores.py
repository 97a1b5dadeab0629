"""Put objects where nobody overwrites them; a folder is one such place."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from compliance.trail import durable

KEY = re.compile(r"(?:[A-Za-z0-9_+=-][A-Za-z0-9._+=-]*/)*[A-Za-z0-9_+=-][A-Za-z0-9._+=-]*")


class ExportConflict(Exception):
    """An object is in the store with other bytes: one side was altered. Keep both."""


class StoreUnusable(Exception):
    """The store cannot keep promises: no such place, or no object lock; says what to do."""


class Store(Protocol):
    """What an export needs: to put what is not there, and to read."""

    name: str

    def put(self, key: str, data: bytes) -> bool:
        """Store for good; False when the same bytes are there, `ExportConflict` when others are."""

    def get(self, key: str) -> bytes | None:
        """Return an object's first bytes, or None."""

    def children(self, prefix: str) -> list[str]:
        """Return what is directly below a prefix, in order; folders end in a slash."""

    def disturbed(self) -> Iterator[str]:
        """Yield keys that somebody wrote to or deleted after they were put."""


class FolderStore:
    """A folder, best on storage that is append-only itself; files appear whole or not at all."""

    def __init__(self, folder: Path) -> None:
        self.name = str(folder)
        self._folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreUnusable(f"GMP_EXPORT: {error}") from error

    def put(self, key: str, data: bytes) -> bool:
        path = self._path(key)
        if (known := self.get(key)) is not None:
            return same(self, key, known, data)
        self._make_folder(path.parent)
        try:
            durable.create(path, data, mode=0o444)
        except FileExistsError:
            return same(self, key, self.get(key) or b"", data)
        return True

    def get(self, key: str) -> bytes | None:
        return durable.read_file(self._path(key))

    def children(self, prefix: str) -> list[str]:
        folder = self._path(prefix.rstrip("/")) if prefix else self._folder
        try:
            found = list(folder.iterdir())
        except (FileNotFoundError, NotADirectoryError):
            return []
        return sorted(
            f"{one.name}/" if one.is_dir() else one.name
            for one in found
            if not one.name.startswith(".")  # of a writer that was killed
        )

    def disturbed(self) -> Iterator[str]:
        for path in self._folder.rglob("*"):
            if path.is_file() and not path.name.startswith(".") and path.stat().st_mode & 0o222:
                yield str(path.relative_to(self._folder))

    def _path(self, key: str) -> Path:
        if not KEY.fullmatch(key):
            raise ValueError(f"{key!r} is no key")
        return self._folder / key

    def _make_folder(self, folder: Path) -> None:
        missing = [one for one in (folder, *folder.parents) if not one.exists()]
        folder.mkdir(parents=True, exist_ok=True)
        for one in reversed(missing):
            durable.sync(one.parent)


def same(store: Store, key: str, known: bytes, data: bytes) -> bool:
    """Return False, or raise `ExportConflict` where other bytes are there."""
    if known != data:
        raise ExportConflict(f"{store.name}: {key} is there with other bytes. Keep both")
    return False
