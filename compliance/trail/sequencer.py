"""Seal committed entries: give each a place in the log and a leaf in its Merkle tree."""

import logging
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

from django.db import connections, transaction
from django.db.backends.utils import CursorWrapper

from compliance.trail import binary_copy, stored
from compliance.trail.stored import LOG_ID, State
from compliance.trail.tlog import growing, leaf, tiles
from compliance.trail.tlog.growing import End, Growth

log = logging.getLogger(__name__)
ALIAS = "sequencer"
BATCH = 5000
_LEAF_TABLE = "audit.leaf (log_id, idx, entry_id, leaf_hash, previous)"
_NODE_TABLE = "audit.node (log_id, level, pos, h)"
_pack_leaf = binary_copy.packer("h q q 32s 32s")
_pack_node = binary_copy.packer("h h q 32s")


class SealConflict(Exception):
    """The log's state changed under the lock of this sequencer: nothing was sealed."""


class SealMismatch(Exception):
    """What was read back from storage is not what was to be sealed: nothing was sealed."""


@dataclass(frozen=True)
class Sealed:
    """What one call sealed, and the size of the log after it.

    `refused` are entries whose stored digest is not the digest of their stored body.
    """

    count: int
    size: int
    refused: tuple[int, ...] = ()


def seal(limit: int = BATCH, *, log_id: int = LOG_ID) -> Sealed:
    """Seal up to `limit` committed entries; safe to run by several processes at once.

    Raise `SealMismatch` when storage gives back something else than was written to it.
    """
    try:
        sealed = _batch(limit, log_id, is_careful=False)
    except SealMismatch:  # an altered entry, or storage that lies: look at each entry first
        sealed = _batch(limit, log_id, is_careful=True)
    if sealed.refused:
        log.error(
            "Entries %s are altered and stay unsealed: run `trail verify`", sealed.refused[:20]
        )
    return sealed


def _batch(limit: int, log_id: int, *, is_careful: bool) -> Sealed:
    with transaction.atomic(using=ALIAS, durable=True), connections[ALIAS].cursor() as cursor:
        mark = _last_issued(cursor)
        before = stored.state(cursor, lock=True, log_id=log_id)  # the second sequencer waits here
        all_ended = _has_ended(cursor, before)
        found = _unsealed(cursor, before, limit)
        refused = _altered(cursor, before, found) if found and is_careful else ()
        intact = [one for one in found if one[0] not in refused] if refused else found
        if intact:
            _seal(cursor, before, intact)
        if len(found) == limit:  # there may be more: only what was looked at is sealed
            mark = found[-1][0]
        if all_ended and mark >= before.pending_mark and not refused:
            _move_mark(cursor, before, mark)
    return Sealed(count=len(intact), size=before.size + len(intact), refused=refused)


def _last_issued(cursor: CursorWrapper) -> int:
    """Return the last entry id given out, before this transaction has an id of its own."""
    cursor.execute(
        "SELECT CASE WHEN is_called THEN last_value ELSE 0 END, audit.ensure_partitions(), "
        "audit.read_by_index() FROM audit.entry_id_seq"
    )
    (last, *_) = cursor.fetchone()
    return int(last)


def _has_ended(cursor: CursorWrapper, before: State) -> bool:
    """Say whether every transaction that could hold an entry id up to the mark has ended.

    An append takes its transaction id first, then its entry id. So whoever held an id up to the
    mark is older than `pending_xmax`, an id that was taken after the mark was read; a snapshot's
    own xmax would not do, since it may be below transactions that are still running.
    """
    cursor.execute(
        "SELECT pg_snapshot_xmin(pg_current_snapshot()) >= %s::text::xid8", [before.pending_xmax]
    )
    return bool(cursor.fetchone() == (True,))


# One statement, one snapshot. Whatever is visible is committed: a late commit comes later.
# Joined to one value by the server: a row of its own costs more than its hashes.
_UNSEALED = (
    "SELECT string_agg(int8send(f.entry_id) || f.digest, ''::bytea) FROM ("
    "SELECT e.entry_id, e.digest FROM audit.entry e "
    "WHERE e.log_id = %s AND e.entry_id > %s AND NOT EXISTS ("
    "SELECT FROM audit.leaf l WHERE l.entry_id = e.entry_id AND l.entry_id > %s) "
    "ORDER BY e.entry_id LIMIT %s) f"
)
_Pending = list[tuple[int, bytes]]


def _unsealed(cursor: CursorWrapper, before: State, limit: int) -> _Pending:
    scan_from = before.scan_from
    data = stored.joined(cursor, _UNSEALED, [before.log_id, scan_from, scan_from, limit])
    return list(struct.iter_unpack(">q32s", data))


_BODIES = (
    "SELECT string_agg(int8send(f.entry_id) || int4send(length(f.body)) || f.body, ''::bytea) "
    "FROM (SELECT entry_id, body FROM audit.entry WHERE log_id = %s "
    "AND entry_id >= %s AND entry_id <= %s ORDER BY entry_id) f"
)


def _altered(cursor: CursorWrapper, before: State, found: _Pending) -> tuple[int, ...]:
    """Read the bodies themselves, and return the entries whose digest is not theirs."""
    data = stored.joined(cursor, _BODIES, [before.log_id, found[0][0], found[-1][0]])
    place, digests = 0, {}
    while place < len(data):
        entry_id, length = struct.unpack_from(">qi", data, place)
        place += 12 + length
        digests[entry_id] = leaf.entry_digest(data[place - length : place])
    return tuple(entry_id for entry_id, digest in found if digests.get(entry_id) != digest)


def _seal(cursor: CursorWrapper, before: State, entries: _Pending) -> None:
    end = End(origin=before.origin, size=before.size, chain=before.chain, range=before.range)
    growth = growing.grow(end, [digest for _, digest in entries])
    log_id, size = before.log_id, before.size
    entry_ids = [entry_id for entry_id, _ in entries]
    leaves = zip(entry_ids, growth.leaf_hashes, growth.previous, strict=True)
    binary_copy.write(
        cursor, _LEAF_TABLE, [_pack_leaf(log_id, size + n, *row) for n, row in enumerate(leaves)]
    )
    tops = [node for node in growth.nodes if node[0] % tiles.TILE_HEIGHT == 0]
    if tops:
        binary_copy.write(cursor, _NODE_TABLE, [_pack_node(log_id, *node) for node in tops])
    _advance(cursor, before, growth.end)
    _read_back(cursor, log_id, end, growth)


def _advance(cursor: CursorWrapper, before: State, end: End) -> None:
    cursor.execute(
        "UPDATE audit.log_state SET size = %s, root = %s, chain = %s, range = %s "
        "WHERE log_id = %s AND size = %s AND root = %s",
        [
            *(end.size, end.root, end.chain, list(end.range)),
            *(before.log_id, before.size, before.root),
        ],
    )
    if cursor.rowcount != 1:
        raise SealConflict(f"the log of {before.size} leaves was changed by somebody else")


def _move_mark(cursor: CursorWrapper, before: State, mark: int) -> None:
    """Move the low-water mark to the pending one, and note the next."""
    if mark < before.pending_mark or mark == before.scan_from:
        return  # another sequencer was faster, or nothing is new
    cursor.execute(
        "UPDATE audit.log_state SET scan_from = pending_mark, pending_mark = %s, "
        "pending_xmax = pg_current_xact_id() WHERE log_id = %s",
        [mark, before.log_id],
    )


def _read_back(cursor: CursorWrapper, log_id: int, before: End, growth: Growth) -> None:
    """Compute the batch again from what storage gives back: a flipped bit shows here."""
    size, tag = growth.end.size, leaf.ENTRY_TAG
    found = list(stored.leaves(cursor, log_id=log_id, start=before.size, end=size))
    again = growing.grow(before, [sha256(tag + body).digest() for _, _, _, body in found])
    same = (
        [index for index, _, _, _ in found] == list(range(before.size, size))
        and [leaf_hash for _, leaf_hash, _, _ in found] == again.leaf_hashes
        and [previous for _, _, previous, _ in found] == again.previous
        and again.end == growth.end
    )
    if not same:
        raise SealMismatch(f"leaves {before.size} to {size} were not stored as they were sealed")


def seal_all(*, log_id: int = LOG_ID) -> Iterator[Sealed]:
    """Seal batch after batch until nothing sealable is left."""
    while True:
        sealed = seal(log_id=log_id)
        yield sealed
        if sealed.count + len(sealed.refused) < BATCH:
            return
