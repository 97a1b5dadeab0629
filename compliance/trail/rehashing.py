"""Grow second trees over the log with another hash, and let the log itself hold their roots."""

from collections.abc import Iterator
from datetime import datetime

from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.backends.utils import CursorWrapper

from compliance.trail import archiving, log_events, recording, stored
from compliance.trail.archiving import Span
from compliance.trail.findings import Fault, Verdict
from compliance.trail.recording import Actor
from compliance.trail.stored import LOG_ID
from compliance.trail.tlog import canonical, trees
from compliance.trail.tlog.trees import Hash, Tree

ALIAS = "sequencer"
KIND = "rehash"
BATCH = 2000
_TREE = "SELECT size, range, origin FROM audit.rehash WHERE log_id = %s AND algorithm = %s"


class LeafMissing(Exception):
    """An entry is neither in the database nor in an archive: the tree cannot go on."""


def origin_of(origin: str, hash_: Hash) -> str:
    """Return the name of the second tree; it has a hash of its own for life, as every log has."""
    return f"{origin}+{hash_.name}"


def grow(hash_: Hash, *, log_id: int = LOG_ID, limit: int | None = None) -> int:
    """Grow the tree by up to `limit` leaves; each batch is kept. Return how many were added."""
    added = 0
    while limit is None or added < limit:
        count = _batch(hash_, log_id, BATCH if limit is None else min(BATCH, limit - added))
        added += count
        if not count:
            break
    return added


def record(
    hash_: Hash, *, actor: Actor, at: datetime, reason: str, log_id: int = LOG_ID
) -> dict[str, canonical.Value]:
    """Write the root of the tree as grown into the old log, while its hash is still good."""
    with connections[ALIAS].cursor() as cursor:
        tree, origin = _tree(cursor, hash_, log_id)
    document: dict[str, canonical.Value] = {
        "v": 1,
        "algorithm": hash_.name,
        "old_origin": _old_origin(log_id),
        "new_origin": origin,
        "size": tree.size,
        "root": tree.root().hex(),
    }
    with recording.into(log_id):
        log_events.record(KIND, document, actor=actor, at=at, reason=reason, using=ALIAS)
    return document


def check(*, log_id: int = LOG_ID) -> Iterator[Fault]:
    """Compute every second tree again from the entries, and yield where a recorded root is not it.

    Independent of the SHA-256 tree, unless a leaf hash was altered there.
    """
    own = _old_origin(log_id, using=DEFAULT_DB_ALIAS)
    told = [one for one in log_events.documents(KIND) if one["old_origin"] == own]
    for name, hash_ in trees.BY_NAME.items():
        events = [one for one in told if one["algorithm"] == name]
        claimed = {one["size"]: one for one in sorted(events, key=lambda one: int(one["size"]))}
        yield from _compare(hash_, own, log_id, claimed)


def _compare(
    hash_: Hash, own: str, log_id: int, claimed: dict[int, dict[str, str]]
) -> Iterator[Fault]:
    origin, tree, last = origin_of(own, hash_), Tree(hash_), 0
    for size, event in claimed.items():
        try:
            for data in _leaves(hash_, origin, log_id, tree.size, size, using=DEFAULT_DB_ALIAS):
                tree.append(data)
        except (LeafMissing, FileNotFoundError, ValueError) as error:
            yield Fault(verdict=Verdict.MISSING, message=str(error), index=tree.size)
            return
        if (event["root"], event["new_origin"]) != (tree.root().hex(), origin):
            yield Fault(
                verdict=Verdict.TAMPERED,
                message=f"the {hash_.name} tree of {size} leaves is not the one recorded: an "
                f"entry from leaf {last} on was altered under the same SHA-256, or the record was",
                index=last,
            )
            return
        last = size


def _batch(hash_: Hash, log_id: int, limit: int) -> int:
    own = _old_origin(log_id)
    origin = origin_of(own, hash_)
    with transaction.atomic(using=ALIAS, durable=True), connections[ALIAS].cursor() as cursor:
        cursor.execute(
            "INSERT INTO audit.rehash (log_id, algorithm, origin, size, range) "
            "VALUES (%s, %s, %s, 0, '{}') ON CONFLICT DO NOTHING",
            [log_id, hash_.name, origin],
        )
        tree, _ = _tree(cursor, hash_, log_id, lock=True)
        start = tree.size
        end = min(stored.state(cursor, log_id=log_id).size, start + limit)
        for data in _leaves(hash_, origin, log_id, start, end, using=ALIAS):
            tree.append(data)
        cursor.execute(
            "UPDATE audit.rehash SET size = %s, range = %s WHERE log_id = %s AND algorithm = %s",
            [tree.size, list(tree.hashes), log_id, hash_.name],
        )
    return end - start


def _tree(
    cursor: CursorWrapper, hash_: Hash, log_id: int, *, lock: bool = False
) -> tuple[Tree, str]:
    cursor.execute(
        _TREE + " FOR UPDATE" if lock else _TREE,
        [log_id, hash_.name],
    )
    row = cursor.fetchone()
    if row is None:
        return Tree(hash_), origin_of(_old_origin(log_id), hash_)
    return Tree(hash_, row[0], [bytes(one) for one in row[1]]), row[2]


def _leaves(
    hash_: Hash, origin: str, log_id: int, start: int, end: int, *, using: str
) -> Iterator[bytes]:
    """Yield the leaves [start, end) of the second tree; detached entries come from their archives."""
    archived = archiving.spans(log_id=log_id, using=using)
    at = start
    while at < end:
        past = min(end, at + BATCH)
        found = list(_stored(log_id, at, past, using))
        if not found or found[0][0] > at:
            found = list(_archived(archived, at, found[0][0] if found else past))
        if not found or found[0][0] > at:
            raise LeafMissing(f"leaf {at} has no entry, in the database or in an archive")
        for index, leaf_hash, body in found:
            if index != at:
                break
            yield trees.leaf_data(hash_, origin=origin, index=at, body=body, old_leaf=leaf_hash)
            at += 1


def _stored(log_id: int, start: int, end: int, using: str) -> Iterator[tuple[int, bytes, bytes]]:
    with connections[using].cursor() as cursor:
        for one in stored.leaves(cursor, log_id=log_id, start=start, end=end):
            yield one.idx, one.leaf_hash, one.body


def _archived(spans: list[Span], start: int, end: int) -> Iterator[tuple[int, bytes, bytes]]:
    for span in spans:
        if span.start < end and start < span.end:
            for one in archiving.entries(span):
                if start <= one.index < end:
                    yield one.index, one.leaf_hash, one.body


def _old_origin(log_id: int, *, using: str = ALIAS) -> str:
    with connections[using].cursor() as cursor:
        return next(one.origin for one in stored.described(cursor) if one.log_id == log_id)
