"""Read what the database has stored of the log: its state, its leaves and its nodes."""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.utils import CursorWrapper
from psycopg import Cursor

from compliance.trail.tlog import tiles

LOG_ID = 1
_STATE = (
    "SELECT l.origin, s.size, s.root, s.chain, s.range, s.scan_from, s.pending_mark, "
    "s.pending_xmax::text::bigint FROM audit.log_state s JOIN audit.log l USING (log_id) "
    "WHERE s.log_id = %s"
)
_STATE_LOCKED = _STATE + " FOR UPDATE OF s"


class Damaged(Exception):
    """What is stored of a log cannot be read as one: `trail verify` names what is wrong."""


@dataclass(frozen=True, kw_only=True)
class State:
    """Where the log ends, and from which entry on there may be unsealed ones."""

    log_id: int
    origin: str
    size: int
    root: bytes
    chain: bytes
    range: tuple[bytes, ...]
    scan_from: int
    pending_mark: int
    pending_xmax: int


def state(cursor: CursorWrapper, *, lock: bool = False, log_id: int = LOG_ID) -> State:
    """Return the state of a log; with `lock`, nobody else changes it until the commit.

    Raise `Damaged` when it is gone, or is none.
    """
    cursor.execute(_STATE_LOCKED if lock else _STATE, [log_id])
    row = cursor.fetchone()
    if row is None or None in row or None in row[4] or row[1] < 0:
        raise Damaged(f"the stored end of log {log_id} is gone or cannot be read")
    origin, size, root, chain, hashes, scan_from, mark, xmax = row
    return State(
        log_id=log_id,
        origin=origin,
        size=size,
        root=bytes(root),
        chain=bytes(chain),
        range=tuple(bytes(one) for one in hashes),
        scan_from=scan_from,
        pending_mark=mark,
        pending_xmax=xmax,
    )


def logs(cursor: CursorWrapper) -> list[int]:
    """Return the numbers of all logs that are sealed in this database."""
    cursor.execute("SELECT log_id FROM audit.log_state ORDER BY log_id")
    return [log_id for (log_id,) in cursor.fetchall()]


def log_id_of(origin: str | None, *, using: str = DEFAULT_DB_ALIAS) -> int:
    """Return the number of a log, of the installation's first one for None; `LookupError`."""
    if origin is None:
        return LOG_ID
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT log_id FROM audit.log WHERE origin = %s", [origin])
        row = cursor.fetchone()
    if row is None:
        raise LookupError(f"there is no log {origin}")
    return int(row[0])


@dataclass(frozen=True, kw_only=True)
class Log:
    """One log of this database; `closed_by` continues it under another origin."""

    log_id: int
    origin: str
    follows: int | None
    closed_by: int | None
    is_parent: bool


def described(cursor: CursorWrapper) -> list[Log]:
    """Return all logs of this database."""
    cursor.execute(
        "SELECT l.log_id, l.origin, l.follows, n.log_id, l.is_parent "
        "FROM audit.log l LEFT JOIN audit.log n ON n.follows = l.log_id ORDER BY l.log_id"
    )
    return [
        Log(log_id=log_id, origin=origin, follows=follows, closed_by=closed_by, is_parent=above)
        for log_id, origin, follows, closed_by, above in cursor.fetchall()
    ]


def current(cursor: CursorWrapper, log_id: int) -> Log:
    """Return the log that acts for this one go to now: itself, or the last that continues it."""
    by_id = {one.log_id: one for one in described(cursor)}
    found = by_id[log_id]
    while found.closed_by is not None:
        found = by_id[found.closed_by]
    return found


class StoredLeaf(NamedTuple):
    """A leaf as stored, and the body of its entry."""

    idx: int
    leaf_hash: bytes
    previous: bytes
    body: bytes


# The server joins the rows of a batch to one value: a row of its own costs more than its hashes.
_LEAVES = (
    "SELECT string_agg(int8send(f.idx) || f.leaf_hash || f.previous || int4send(length(f.body)) "
    "|| f.body, ''::bytea) FROM (SELECT l.idx, l.leaf_hash, l.previous, e.body "
    "FROM audit.leaf l JOIN audit.entry e ON e.entry_id = l.entry_id "
    "WHERE l.log_id = %s AND l.idx >= %s AND l.idx < %s ORDER BY l.idx) f"
)
_LEAF_HEAD = struct.Struct(">q32s32si")


def leaves(cursor: CursorWrapper, *, log_id: int, start: int, end: int) -> Iterator[StoredLeaf]:
    """Yield the leaves of [start, end) that have an entry, with its body."""
    data, place = joined(cursor, _LEAVES, [log_id, start, end]), 0
    while place < len(data):
        index, leaf_hash, previous, length = _LEAF_HEAD.unpack_from(data, place)
        place += _LEAF_HEAD.size + length
        yield StoredLeaf(index, leaf_hash, previous, data[place - length : place])


def joined(cursor: CursorWrapper, statement: str, values: Sequence[object]) -> bytes:
    """Return the one binary value that a statement gives; empty for null."""
    connection: Any = cursor.db.connection
    # As bytes: Django's cursors have bytea written in hexadecimal and read back.
    with Cursor(connection) as binary:
        row = binary.execute(statement, values, binary=True).fetchone()
    return (row[0] if row else None) or b""


def reader(cursor: CursorWrapper, *, log_id: int = LOG_ID) -> tiles.TiledReader:
    """Return a reader of subtree roots for proofs; it reads few rows whatever the log's size."""
    return tiles.TiledReader(fetch(cursor, log_id))


def fetch(cursor: CursorWrapper, log_id: int) -> tiles.Fetch:
    """Return a reader of stored hashes for `tiles.TiledReader`, up to the first that is missing."""

    def read(level: int, start: int, count: int) -> Sequence[bytes]:
        if level == 0:
            cursor.execute(
                "SELECT idx, leaf_hash FROM audit.leaf WHERE log_id = %s AND idx >= %s "
                "AND idx < %s ORDER BY idx",
                [log_id, start, start + count],
            )
        else:
            cursor.execute(
                "SELECT pos, h FROM audit.node WHERE log_id = %s AND level = %s AND pos >= %s "
                "AND pos < %s ORDER BY pos",
                [log_id, level, start, start + count],
            )
        rows = cursor.fetchall()
        gap = next(
            (n for n, (at, found) in enumerate(rows) if at != start + n or found is None), len(rows)
        )
        return [bytes(found) for _, found in rows[:gap]]

    return read
