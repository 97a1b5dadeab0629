"""Seal committed entries: give each a place in the log and a leaf in its Merkle tree."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import DataError, IntegrityError, connections, transaction
from django.db.backends.utils import CursorWrapper

from compliance.trail import stored
from compliance.trail.stored import LOG_ID, State
from compliance.trail.tlog import leaf, merkle, tiles

log = logging.getLogger(__name__)
ALIAS = "sequencer"
BATCH = 5000
_COPY_LEAVES = (
    "COPY audit.leaf (log_id, idx, entry_id, leaf_hash, previous) FROM STDIN (FORMAT BINARY)"
)
_COPY_NODES = "COPY audit.node (log_id, level, pos, h) FROM STDIN (FORMAT BINARY)"


class SealConflict(Exception):
    """The log's state changed under the lock of this sequencer: nothing was sealed."""


class SealMismatch(Exception):
    """What was read back from storage is not what was sealed; an operator must look at once."""


@dataclass(frozen=True)
class Sealed:
    """What one call sealed, and the size of the log after it.

    `refused` are entries whose stored digest is not the digest of their stored body.
    """

    count: int
    size: int
    refused: tuple[int, ...] = ()


@dataclass
class _Batch:
    """The rows that one batch adds to the log."""

    entry_ids: list[int] = field(default_factory=list)
    leaves: list[tuple[int, int, int, bytes, bytes]] = field(default_factory=list)
    nodes: list[tuple[int, int, int, bytes]] = field(default_factory=list)


def seal(limit: int = BATCH) -> Sealed:
    """Seal up to `limit` committed entries; safe to run by several processes at once."""
    with transaction.atomic(using=ALIAS, durable=True), connections[ALIAS].cursor() as cursor:
        mark = _last_issued(cursor)
        cursor.execute("SELECT audit.ensure_partitions()")
        before = stored.state(cursor, lock=True)  # the fence: the second sequencer waits here
        all_ended = _has_ended(cursor, before)
        found = _unsealed(cursor, before, limit)
        refused = tuple(entry_id for entry_id, _, is_intact in found if not is_intact)
        intact = [(entry_id, digest) for entry_id, digest, is_intact in found if is_intact]
        chain = leaf.Chain(origin=before.origin, size=before.size, head=before.chain)
        tree = merkle.CompactRange(before.size, before.range)
        if intact:
            batch = _grow(chain, tree, intact)
            _store(cursor, batch)
            _advance(cursor, before, chain, tree)
        covers_mark = len(found) < limit or found[-1][0] >= before.pending_mark
        if all_ended and covers_mark and not refused:
            _move_mark(cursor, before, mark)
    if intact:
        _read_back(before, tree.root(), chain.head, size=chain.size)
    if refused:
        log.error("Entries %s are altered and stay unsealed: run `trail verify`", refused[:20])
    return Sealed(count=len(intact), size=chain.size, refused=refused)


def _last_issued(cursor: CursorWrapper) -> int:
    """Return the last entry id given out, before this transaction has an id of its own."""
    cursor.execute("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM audit.entry_id_seq")
    (last,) = cursor.fetchone()
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


def _unsealed(cursor: CursorWrapper, before: State, limit: int) -> list[tuple[int, bytes, bool]]:
    # One statement, one snapshot. Whatever is visible is committed: a late commit comes later.
    cursor.execute(
        "SELECT e.entry_id, e.digest, e.digest = sha256(%s || e.body) FROM audit.entry e "
        "WHERE e.log_id = %s AND e.entry_id > %s AND NOT EXISTS (SELECT FROM audit.leaf l "
        "WHERE l.log_id = e.log_id AND l.entry_id = e.entry_id) ORDER BY e.entry_id LIMIT %s",
        [leaf.ENTRY_TAG, LOG_ID, before.scan_from, limit],
    )
    return [(entry_id, bytes(digest), intact) for entry_id, digest, intact in cursor.fetchall()]


def _grow(
    chain: leaf.Chain, tree: merkle.CompactRange, entries: Sequence[tuple[int, bytes]]
) -> _Batch:
    batch = _Batch()
    for entry_id, digest in entries:
        index, previous = chain.size, chain.head
        leaf_hash = chain.append(digest)
        batch.entry_ids.append(entry_id)
        batch.leaves.append((LOG_ID, index, entry_id, leaf_hash, previous))
        batch.nodes += [
            (LOG_ID, level, position, node)
            for level, position, node in tree.append(leaf_hash)
            if level % tiles.TILE_HEIGHT == 0
        ]
    return batch


def _store(cursor: CursorWrapper, batch: _Batch) -> None:
    with cursor.copy(_COPY_LEAVES) as copy:
        copy.set_types(["int2", "int8", "int8", "bytea", "bytea"])
        for leaf_row in batch.leaves:
            copy.write_row(leaf_row)
    with cursor.copy(_COPY_NODES) as copy:
        copy.set_types(["int2", "int2", "int8", "bytea"])
        for node_row in batch.nodes:
            copy.write_row(node_row)
    _project(cursor, batch.entry_ids)


def _project(cursor: CursorWrapper, entry_ids: list[int]) -> None:
    try:
        with transaction.atomic(using=ALIAS):
            cursor.execute(_PROJECT, [LOG_ID, entry_ids])
    except (DataError, IntegrityError):
        # A body that is no JSON can only be planted. It is sealed all the same, as evidence; the
        # verification names it. The others keep their place in the search.
        for entry_id in entry_ids:
            try:
                with transaction.atomic(using=ALIAS):
                    cursor.execute(_PROJECT, [LOG_ID, [entry_id]])
            except (DataError, IntegrityError):
                log.exception("Entry %s cannot be read and will not be found by search", entry_id)


_PROJECT = """
INSERT INTO audit.projection (log_id, entry_id, at, act, action, actor, role, op, reason,
    record, record_id, record_seq, source)
SELECT e.log_id, e.entry_id, (b ->> 'at')::timestamptz, b ->> 'act', b ->> 'action',
    b ->> 'actor', b ->> 'role', b ->> 'op', b ->> 'reason', b ->> 'record', b ->> 'record_id',
    (b ->> 'record_seq')::bigint, b ->> 'source'
FROM audit.entry e CROSS JOIN LATERAL (SELECT convert_from(e.body, 'UTF8')::json AS b) j
WHERE e.log_id = %s AND e.entry_id = ANY(%s)
"""


def _advance(
    cursor: CursorWrapper, before: State, chain: leaf.Chain, tree: merkle.CompactRange
) -> None:
    cursor.execute(
        "UPDATE audit.log_state SET size = %s, root = %s, chain = %s, range = %s "
        "WHERE log_id = %s AND size = %s AND root = %s",
        [
            tree.size,
            tree.root(),
            chain.head,
            list(tree.hashes),
            LOG_ID,
            before.size,
            before.root,
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
        [mark, LOG_ID],
    )


def _read_back(before: State, root: bytes, head: bytes, *, size: int) -> None:
    """Compute the batch again from what storage gives back: a flipped bit shows here."""
    chain = leaf.Chain(origin=before.origin, size=before.size, head=before.chain)
    tree = merkle.CompactRange(before.size, before.range)
    with connections[ALIAS].cursor() as cursor:
        cursor.execute(
            "SELECT l.idx, l.leaf_hash, l.previous, e.body FROM audit.leaf l "
            "LEFT JOIN audit.entry e USING (log_id, entry_id) "
            "WHERE l.log_id = %s AND l.idx >= %s AND l.idx < %s ORDER BY l.idx",
            [LOG_ID, before.size, size],
        )
        for index, leaf_hash, previous, body in cursor.fetchall():
            expected = index == chain.size and previous == chain.head and body is not None
            if not expected or chain.append(leaf.entry_digest(bytes(body))) != leaf_hash:
                raise SealMismatch(f"leaf {index} was not stored as it was sealed")
            tree.append(bytes(leaf_hash))
    if chain.size != size or chain.head != head or tree.root() != root:
        raise SealMismatch(f"leaves {before.size} to {size} were not stored as they were sealed")
