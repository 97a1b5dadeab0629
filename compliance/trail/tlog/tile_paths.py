"""Name the tiles and entry bundles of a log, and say which a tree has (C2SP tlog-tiles)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from compliance.trail.tlog import tiles

ENTRIES = "entries"
MAX_LEVEL = 63

_PATH = re.compile(
    r"tile/(?P<level>0|[1-9][0-9]?|entries)/(?P<index>(?:x[0-9]{3}/)*[0-9]{3})"
    r"(?:\.p/(?P<width>[1-9][0-9]{0,2}))?"
)


class PathInvalid(ValueError):
    """Not the path of a tile or of an entry bundle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """A run of up to 256 neighbouring hashes; with `is_entries`, the entries below a level 0."""

    level: int
    index: int
    width: int = tiles.TILE_WIDTH
    is_entries: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.level <= MAX_LEVEL or (self.is_entries and self.level):
            raise PathInvalid(f"no tile has level {self.level}")
        if self.index < 0 or not 1 <= self.width <= tiles.TILE_WIDTH:
            raise PathInvalid(f"no tile has index {self.index} and width {self.width}")

    @property
    def is_full(self) -> bool:
        """Whether it can never grow."""
        return self.width == tiles.TILE_WIDTH

    @property
    def start(self) -> int:
        """The position of its first hash at its level."""
        return self.index * tiles.TILE_WIDTH

    @property
    def path(self) -> str:
        """The path below the log's prefix."""
        kind = ENTRIES if self.is_entries else str(self.level)
        return f"tile/{kind}/{numbered(self.index)}{self.suffix}"

    @property
    def suffix(self) -> str:
        """What a partial tile has behind its number."""
        return "" if self.is_full else f".p/{self.width}"

    @classmethod
    def parse(cls, path: str) -> Self:
        """Read a path in its one spelling, or raise `PathInvalid`."""
        match = _PATH.fullmatch(path)
        if match is None:
            raise PathInvalid("not the path of a tile")
        is_entries = match["level"] == ENTRIES
        tile = cls(
            level=0 if is_entries else int(match["level"]),
            index=int(match["index"].replace("/", "").replace("x", "")),
            width=int(match["width"] or tiles.TILE_WIDTH),
            is_entries=is_entries,
        )
        # x000/001, .p/256, digits of another script: one comparison for all second spellings.
        if tile.path != path:
            raise PathInvalid("another spelling of a tile's path")
        return tile

    def is_within(self, size: int) -> bool:
        """Say whether a tree of `size` leaves has every hash of this tile."""
        return self.start + self.width <= size >> (tiles.TILE_HEIGHT * self.level)


def numbered(index: int) -> str:
    """Return an index in path elements of three digits: 1234067 is x001/x234/067."""
    digits = str(index)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    *groups, last = (digits[at : at + 3] for at in range(0, len(digits), 3))
    return "/".join([*(f"x{group}" for group in groups), last])


def full_between(old: int, new: int) -> Iterator[Tile]:
    """Yield the tiles, lowest level first, that became full while a tree grew from old to new."""
    level = 0
    while (count := new >> (tiles.TILE_HEIGHT * (level + 1))) > 0:
        for index in range(old >> (tiles.TILE_HEIGHT * (level + 1)), count):
            yield Tile(level=level, index=index)
        level += 1


def partial_at(size: int) -> Iterator[Tile]:
    """Yield the partial tiles of a tree, lowest level first: floor(size / 256**level) mod 256."""
    level = 0
    while (hashes := size >> (tiles.TILE_HEIGHT * level)) > 0:
        index, width = divmod(hashes, tiles.TILE_WIDTH)
        if width:
            yield Tile(level=level, index=index, width=width)
        level += 1
