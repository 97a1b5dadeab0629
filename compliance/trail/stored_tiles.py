"""Read tiles, entry bundles and bodies of any log from the database, each checked as it is read."""

from collections.abc import Iterable

from django.db.backends.utils import CursorWrapper

from compliance.trail import stored
from compliance.trail.tlog import leaf, merkle, tiles
from compliance.trail.tlog.leaf import Leaf
from compliance.trail.tlog.tile_paths import Tile


class NotStored(LookupError):
    """The log has no such tile, or its entries are no longer here."""


class Altered(Exception):
    """What is stored does not belong to its leaf: run `trail verify`."""


def hashes(cursor: CursorWrapper, log_id: int, tile: Tile) -> bytes:
    """Return the bytes of a tile, or raise `NotStored`."""
    level = tiles.TILE_HEIGHT * tile.level
    found = stored.fetch(cursor, log_id)(level, tile.start, tile.width)
    if len(found) != tile.width:
        raise NotStored(tile.path)
    return b"".join(found)


def entries(cursor: CursorWrapper, log_id: int, tile: Tile) -> bytes:
    """Return the entry bundle of a tile: the data of each leaf behind its length (tlog-tiles)."""
    rows = _rows(cursor, log_id, tile, "e.digest")
    return b"".join(_prefixed(_leaf_data(row), 2) for row in rows)


def bodies(cursor: CursorWrapper, log_id: int, tile: Tile) -> bytes:
    """Return the bodies of the same entries, each behind its length in four bytes."""
    found = []
    for origin, index, leaf_hash, previous, body in _rows(cursor, log_id, tile, "e.body"):
        digest = leaf.entry_digest(bytes(body))
        _leaf_data((origin, index, leaf_hash, previous, digest))  # raises where it was altered
        found.append(_prefixed(bytes(body), 4))
    return b"".join(found)


_Row = tuple[str, int, bytes, bytes, bytes]


def _rows(cursor: CursorWrapper, log_id: int, tile: Tile, column: str) -> Iterable[_Row]:
    cursor.execute(
        f"SELECT g.origin, l.idx, l.leaf_hash, l.previous, {column} FROM audit.leaf l "  # noqa: S608 -- one of two literals
        "JOIN audit.log g USING (log_id) JOIN audit.entry e USING (entry_id) "
        "WHERE l.log_id = %s AND l.idx >= %s AND l.idx < %s ORDER BY l.idx",
        [log_id, tile.start, tile.start + tile.width],
    )
    rows: list[_Row] = cursor.fetchall()
    if any(None in row for row in rows) or [index for _, index, *_ in rows] != list(
        range(tile.start, tile.start + tile.width)
    ):
        raise NotStored(tile.path)
    return rows


def _leaf_data(row: _Row) -> bytes:
    origin, index, leaf_hash, previous, digest = row
    data = Leaf(origin=origin, index=index, digest=bytes(digest), previous=bytes(previous)).data
    if merkle.leaf_hash(data) != bytes(leaf_hash):
        raise Altered(f"entry {index} of {origin} is not the one that its leaf was made of")
    return data


def _prefixed(data: bytes, size: int) -> bytes:
    return len(data).to_bytes(size, "big") + data
