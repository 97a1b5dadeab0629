"""Read back an export of the log: checkpoints, and the bodies of entries in order.

The names are those of `exporting`: <log>/checkpoint/<size in six groups of three digits>/note and
<log>/bodies/<N>[.p/<W>], bundles of 256 bodies, each behind its length in four bytes.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from compliance.trail import durable
from compliance.trail.tlog import tiles

_GROUPS = 6
_LENGTH = struct.Struct(">I")


class ExportIncomplete(Exception):
    """The export does not have what it should, or has it in another form."""


class Source(Protocol):
    """What can be read of an export, wherever it is."""

    def get(self, key: str) -> bytes | None:
        """Return an object's bytes, or None."""

    def children(self, prefix: str) -> list[str]:
        """Return what is directly below a prefix, in order; folders end in a slash."""


class Folder:
    """An export in a folder, which is only read."""

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise ExportIncomplete(f"there is no folder {folder}")
        self._folder = folder

    def get(self, key: str) -> bytes | None:
        return durable.read_file(self._folder / key)

    def children(self, prefix: str) -> list[str]:
        try:
            found = list((self._folder / prefix).iterdir())
        except (FileNotFoundError, NotADirectoryError):
            return []
        return sorted(f"{one.name}/" if one.is_dir() else one.name for one in found)


def checkpoints(source: Source, *, log_id: int) -> Iterator[tuple[str, str]]:
    """Yield the note of every checkpoint in the export with its name, the smallest first."""
    paths = [f"{log_id}/checkpoint"]
    for _ in range(_GROUPS):
        paths = [
            f"{path}/{name[:-1]}"
            for path in paths
            for name in source.children(path)
            if name.endswith("/") and name[:-1].isdecimal()
        ]
    for path in paths:
        note = source.get(f"{path}/note")
        if note is not None:
            yield f"{path}/note", note.decode(errors="replace")


def bodies(source: Source, *, log_id: int, start: int, end: int) -> Iterator[bytes]:
    """Yield the bodies of leaves [start, end), or raise `ExportIncomplete`."""
    for bundle in range(start // tiles.TILE_WIDTH, -(-end // tiles.TILE_WIDTH)):
        first = bundle * tiles.TILE_WIDTH
        found = _split(_bundle(source, log_id, bundle, min(end - first, tiles.TILE_WIDTH)))
        yield from found[max(0, start - first) : end - first]


def _bundle(source: Source, log_id: int, bundle: int, needed: int) -> bytes:
    """Return the full bundle, or the smallest partial one that has as many as are needed."""
    key = f"{log_id}/bodies/{_numbered(bundle)}"
    data = source.get(key)
    if data is not None:
        return data
    widths = (int(name) for name in source.children(f"{key}.p") if name.isdecimal())
    for width in sorted(width for width in widths if width >= needed):
        data = source.get(f"{key}.p/{width}")
        if data is not None:
            return data
    raise ExportIncomplete(f"the export has no {key} with {needed} bodies")


def _split(data: bytes) -> list[bytes]:
    found, place = [], 0
    while place < len(data):
        if place + _LENGTH.size > len(data):
            raise ExportIncomplete("a bundle of bodies is cut off")
        (length,) = _LENGTH.unpack_from(data, place)
        place += _LENGTH.size + length
        if place > len(data):
            raise ExportIncomplete("a bundle of bodies is cut off")
        found.append(data[place - length : place])
    return found


def _numbered(index: int) -> str:
    """Return an index as C2SP tlog-tiles names it: 1234067 is x001/x234/067."""
    groups = [f"{index % 1000:03}"]
    while index := index // 1000:
        groups.append(f"x{index % 1000:03}")
    return "/".join(reversed(groups))
