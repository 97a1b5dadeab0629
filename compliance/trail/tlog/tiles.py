"""Read perfect subtree roots from leaf hashes in memory or from stored tiles."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from compliance.trail.tlog import merkle

TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT


class HashMissing(LookupError):
    """A reader was asked for a subtree that is not stored, or not complete yet."""


class Fetch(Protocol):
    """Reads stored hashes; they exist at levels 0, 8, 16, ... only."""

    def __call__(self, level: int, start: int, count: int) -> Sequence[bytes]:
        """Return the hashes from position `start` on: up to `count`, fewer at the right edge."""


class Leaves:
    """Answers from leaf hashes in memory, every level computed once (`merkle.Reader`)."""

    def __init__(self, leaf_hashes: Iterable[bytes]) -> None:
        self._levels = _pyramid(list(leaf_hashes))

    def hash_at(self, level: int, position: int) -> bytes:
        """Return a subtree root or raise `HashMissing`."""
        return _lookup(self._levels, level, level, position, position)


class TiledReader:
    """Answers from stored tiles, whose inner levels it computes (`merkle.Reader`).

    Make one for each piece of work: it keeps the tiles it used last, and no others.
    """

    def __init__(self, fetch: Fetch, *, keep: int = 64) -> None:
        self._fetch = fetch
        self._keep = keep
        self._tiles: dict[tuple[int, int], list[list[bytes]]] = {}

    def hash_at(self, level: int, position: int) -> bytes:
        """Return a subtree root or raise `HashMissing`."""
        if level < 0 or position < 0:
            raise HashMissing(f"no subtree at level {level}, position {position}")
        inner = level % TILE_HEIGHT
        stored = level - inner
        tile, offset = divmod(position, TILE_WIDTH >> inner)
        levels = self._tile(stored, tile, inner, offset)
        return _lookup(levels, inner, level, offset, position)

    def _tile(self, stored: int, tile: int, inner: int, offset: int) -> list[list[bytes]]:
        # Taken out and put back in: a dict keeps order, so its first key is the longest unused.
        levels = self._tiles.pop((stored, tile), None)
        # A tile at the right edge may have grown since.
        if levels is None or inner >= len(levels) or offset >= len(levels[inner]):
            levels = _pyramid(list(self._fetch(stored, tile * TILE_WIDTH, TILE_WIDTH)))
        self._tiles[stored, tile] = levels
        if len(self._tiles) > self._keep:
            del self._tiles[next(iter(self._tiles))]
        return levels


def _pyramid(hashes: list[bytes]) -> list[list[bytes]]:
    """Return these hashes and every level of complete parents above them."""
    if any(len(one) != merkle.HASH_SIZE for one in hashes):
        raise ValueError("a stored hash is not 32 bytes")
    levels = [hashes]
    while len(hashes) > 1:
        hashes = [
            merkle.node_hash(left, right)
            for left, right in zip(hashes[::2], hashes[1::2], strict=False)
        ]
        levels.append(hashes)
    return levels


def _lookup(levels: list[list[bytes]], inner: int, level: int, offset: int, position: int) -> bytes:
    if 0 <= inner < len(levels) and 0 <= offset < len(levels[inner]):
        return levels[inner][offset]
    raise HashMissing(f"no subtree at level {level}, position {position}")
