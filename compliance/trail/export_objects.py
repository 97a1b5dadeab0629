"""Name and read the objects of an export: what they hold, and which there are.

Below the prefix, for each log (`<log>` is its number):
  <log>/tile/...                     tiles and entry bundles, named as in C2SP tlog-tiles
  <log>/bodies/<N>[.p/<W>]           256 bodies of entries, each behind its length in four bytes
  <log>/checkpoint/<size>/note       with <size> in six groups of three digits
  <log>/checkpoint/<size>/<name>     cosignatures and the time-stamp token of that checkpoint
  <log>/run/<year>/<month>/<day>/<time>   what one step of an export covered, its last object
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db.backends.utils import CursorWrapper

from compliance.trail import stored, stored_tiles
from compliance.trail.append_stores import ExportConflict, Store
from compliance.trail.tlog import canonical, merkle, shapes, tile_paths, tiles
from compliance.trail.tlog.tile_paths import Tile

Object = tuple[str, bytes]
STAMP, COSIGNATURE = "timestamp.tsr", ".cosignature"
FIRST = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBER = re.compile(r"[0-9]+/")
_FOREIGN = re.compile(r"[^A-Za-z0-9._+=-]")
_GROUPS = 6  # of three digits: sizes sort as their names do, and the largest is found in six steps
_TIME = "%Y-%m-%dT%H:%M:%S.%fZ"


@dataclass(frozen=True, slots=True)
class Run:
    """What one step of an export covered: leaves, and what others had sent until a moment."""

    size: int
    until: datetime

    def to_object(self, log_id: int) -> Object:
        members: canonical.Value = {
            "size": self.size,
            "until": self.until.astimezone(UTC).strftime(_TIME),
            "v": 1,
        }
        return f"{log_id}/run/{self.until:%Y/%m/%d/%H%M%S.%f}", canonical.dumps(members)


def of_tree(cursor: CursorWrapper, log_id: int, since: int, size: int) -> Iterator[Object]:
    """Yield tiles, entry bundles and bodies that a tree of `size` has beyond one of `since`."""
    for tile in (*tile_paths.full_between(since, size), *tile_paths.partial_at(size)):
        yield f"{log_id}/{tile.path}", _checked(cursor, log_id, tile)
        if tile.level == 0:
            bundle = Tile(level=0, index=tile.index, width=tile.width, is_entries=True)
            yield f"{log_id}/{bundle.path}", stored_tiles.entries(cursor, log_id, bundle)
            yield (
                f"{log_id}/bodies/{tile_paths.numbered(tile.index)}{tile.suffix}",
                stored_tiles.bodies(cursor, log_id, bundle),
            )


def of_checkpoints(cursor: CursorWrapper, log_id: int, since: int, size: int) -> Iterator[Object]:
    """Yield the notes of all checkpoints after `since`, up to `size`."""
    cursor.execute(
        "SELECT size, coalesce(note, '') FROM audit.checkpoint "
        "WHERE log_id = %s AND size > %s AND size <= %s "
        "ORDER BY size",
        [log_id, since, size],
    )
    for found, note in cursor.fetchall():
        yield f"{checkpoint_folder(log_id, found)}/note", note.encode()


def of_others(
    cursor: CursorWrapper, log_id: int, since: int, size: int, *, after: datetime, before: datetime
) -> Iterator[Object]:
    """Yield cosignatures and tokens of checkpoints up to `size`.

    Those of checkpoints after `since` all of them, of older ones what came after a moment.
    """
    where = (
        "WHERE log_id = %s AND size <= %s AND (size > %s OR received_at >= %s) "
        "AND received_at < %s ORDER BY size"
    )
    values: list[int | datetime] = [log_id, size, since, after, before]
    cursor.execute(f"SELECT size, witness, line FROM audit.cosignature {where}", values)  # noqa: S608 -- a literal
    for found, witness, line in cursor.fetchall():
        name = cosignature_name(witness)
        yield f"{checkpoint_folder(log_id, found)}/{name}", line.encode()
    cursor.execute(f"SELECT size, tsr FROM audit.timestamp {where}", values)  # noqa: S608 -- a literal
    for found, tsr in cursor.fetchall():
        yield f"{checkpoint_folder(log_id, found)}/{STAMP}", bytes(tsr)


def checkpoint_folder(log_id: int, size: int) -> str:
    """Return where the objects of one checkpoint are."""
    digits = f"{size:0{3 * _GROUPS}}"
    groups = "/".join(digits[at : at + 3] for at in range(0, len(digits), 3))
    return f"{log_id}/checkpoint/{groups}"


def largest_checkpoint(store: Store, log_id: int) -> int | None:
    """Return the size of the largest checkpoint in a store, without reading all names."""
    key = _last_below(store, f"{log_id}/checkpoint", _GROUPS)
    return int("".join(key.split("/")[2:-1])) if key else None


def foreign(cursor: CursorWrapper, store: Store, log_id: int) -> Iterator[str]:
    """Yield the names about checkpoints that a store has and the database would not put.

    Of a thousand sizes at a time: there is a checkpoint for each minute of years.
    """
    paths = [f"{log_id}/checkpoint"]
    for _ in range(_GROUPS - 1):
        paths = [f"{path}/{name[:-1]}" for path in paths for name in _folders(store, path)]
    for path in paths:
        known = _names_of_checkpoints(cursor, log_id, 1000 * int("".join(path.split("/")[2:])))
        for folder in (f"{path}/{name[:-1]}" for name in _folders(store, path)):
            names = (f"{folder}/{name}" for name in store.children(folder))
            yield from (name for name in names if name not in known)


def _names_of_checkpoints(cursor: CursorWrapper, log_id: int, first: int) -> frozenset[str]:
    """Return the names about a thousand sizes that the database would put."""
    cursor.execute(
        "SELECT size, 'note' FROM audit.checkpoint "
        "WHERE log_id = %(log)s AND size >= %(first)s AND size < %(first)s + 1000 "
        "UNION ALL SELECT size, %(stamp)s FROM audit.timestamp "
        "WHERE log_id = %(log)s AND size >= %(first)s AND size < %(first)s + 1000",
        {"log": log_id, "first": first, "stamp": STAMP},
    )
    rows = cursor.fetchall()
    cursor.execute(
        "SELECT size, witness FROM audit.cosignature "
        "WHERE log_id = %s AND size >= %s AND size < %s",
        [log_id, first, first + 1000],
    )
    rows += [(size, cosignature_name(witness)) for size, witness in cursor.fetchall()]
    return frozenset(f"{checkpoint_folder(log_id, size)}/{name}" for size, name in rows)


def cosignature_name(witness: str) -> str:
    return f"{_FOREIGN.sub('_', witness)}{COSIGNATURE}"


def last_run(store: Store, log_id: int) -> Run:
    """Return what the last finished step covered; nothing where there was none."""
    key = _last_below(store, f"{log_id}/run", 3)
    if key is None:
        return Run(0, FIRST)
    data = store.get(key)
    try:
        found = shapes.members(canonical.loads(data or b""), ("size", "until", "v"))
        until = datetime.strptime(shapes.text(found["until"]), _TIME).replace(tzinfo=UTC)
        run = Run(shapes.whole(found["size"]), until)
    except ValueError as error:
        raise ExportConflict(f"{store.name}: {key} is not readable: {error}") from error
    # Whoever plants a later one would say that there is nothing yet to compare.
    if run.until < FIRST or run.to_object(log_id) != (key, data):
        raise ExportConflict(f"{store.name}: {key} is not what an export writes")
    return run


def _last_below(store: Store, path: str, depth: int) -> str | None:
    """Return the last object so many folders below a path; an empty folder leads to none."""
    if not depth:
        names = [name for name in store.children(path) if not name.endswith("/")]
        return f"{path}/{names[-1]}" if names else None
    below = (f"{path}/{name[:-1]}" for name in reversed(_folders(store, path)))
    found = (_last_below(store, folder, depth - 1) for folder in below)
    return next((key for key in found if key), None)


def _folders(store: Store, path: str) -> list[str]:
    return [name for name in store.children(path) if _NUMBER.fullmatch(name)]


def _checked(cursor: CursorWrapper, log_id: int, tile: Tile) -> bytes:
    data = stored_tiles.hashes(cursor, log_id, tile)
    if tile.is_full:
        above = stored.fetch(cursor, log_id)(tiles.TILE_HEIGHT * (tile.level + 1), tile.index, 1)
        size = merkle.HASH_SIZE
        found = merkle.root_of(data[at : at + size] for at in range(0, len(data), size))
        if list(above) != [found]:
            raise stored_tiles.Altered(f"{tile.path} does not lead to the node above it")
    return data
