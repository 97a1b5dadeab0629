"""Read what the database has stored of the log: its state, its leaves and its nodes."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.backends.utils import CursorWrapper

from compliance.trail.tlog import tiles

LOG_ID = 1
_STATE = (
    "SELECT l.origin, s.size, s.root, s.chain, s.range, s.scan_from, s.pending_mark, "
    "s.pending_xmax::text::bigint FROM audit.log_state s JOIN audit.log l USING (log_id) "
    "WHERE s.log_id = %s"
)
_STATE_LOCKED = _STATE + " FOR UPDATE OF s"


@dataclass(frozen=True, kw_only=True)
class State:
    """Where the log ends, and from which entry on there may be unsealed ones."""

    origin: str
    size: int
    root: bytes
    chain: bytes
    range: tuple[bytes, ...]
    scan_from: int
    pending_mark: int
    pending_xmax: int


def state(cursor: CursorWrapper, *, lock: bool = False) -> State:
    """Return the state of the log; with `lock`, nobody else changes it until the commit."""
    cursor.execute(_STATE_LOCKED if lock else _STATE, [LOG_ID])
    origin, size, root, chain, hashes, scan_from, mark, xmax = cursor.fetchone()
    return State(
        origin=origin,
        size=size,
        root=bytes(root),
        chain=bytes(chain),
        range=tuple(bytes(one) for one in hashes),
        scan_from=scan_from,
        pending_mark=mark,
        pending_xmax=xmax,
    )


def reader(cursor: CursorWrapper) -> tiles.TiledReader:
    """Return a reader of subtree roots for proofs; it reads few rows whatever the log's size."""

    def fetch(level: int, start: int, count: int) -> Sequence[bytes]:
        if level == 0:
            cursor.execute(
                "SELECT idx, leaf_hash FROM audit.leaf WHERE log_id = %s AND idx >= %s "
                "AND idx < %s ORDER BY idx",
                [LOG_ID, start, start + count],
            )
        else:
            cursor.execute(
                "SELECT pos, h FROM audit.node WHERE log_id = %s AND level = %s AND pos >= %s "
                "AND pos < %s ORDER BY pos",
                [LOG_ID, level, start, start + count],
            )
        rows = cursor.fetchall()
        gap = next((n for n, (at, _) in enumerate(rows) if at != start + n), len(rows))
        return [bytes(found) for _, found in rows[:gap]]

    return tiles.TiledReader(fetch)
