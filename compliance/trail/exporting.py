"""Copy the log to storage where nobody overwrites it, and compare the two (GMP_EXPORT)."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TypedDict

from django.conf import settings
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from compliance.trail import export_objects, published, s3_store, stored
from compliance.trail.append_stores import FolderStore, Store
from compliance.trail.export_objects import FIRST, Object, Run
from compliance.trail.published import Published
from compliance.trail.stored import LOG_ID
from compliance.trail.tlog import merkle, tiles

STEP = 1 << 16  # leaves; a run that is cut off repeats no more than this
# Rows whose transaction was under way while the last run looked have an older time than it.
OVERLAP = timedelta(minutes=10)
_UNDER_WAY_S = 2.0


class RolledBack(Exception):
    """The store knows a larger log than the database: the database was rolled back."""


class NotSigned(Exception):
    """The database does not have the tree that its checkpoint signs: nothing is exported."""


class Exported(TypedDict):
    """What one export did."""

    size: int
    written: int


class Compared(TypedDict):
    """What the store has against the database; each list names objects, all empty when equal."""

    size: int
    stored_size: int | None
    is_rolled_back: bool
    missing: list[str]
    different: list[str]
    foreign: list[str]
    disturbed: list[str]


def export(*, log_id: int = LOG_ID) -> Exported | None:
    """Put everything that is not in the store yet; None when none is set or nothing is signed.

    Continues where a run was cut off; safe to run twice and beside itself. Raise `ExportConflict`,
    `RolledBack` or `NotSigned` rather than write over or beside what is there.
    """
    if not settings.EXPORT:
        return None
    store = opened()
    total = 0
    while True:
        done = _step(store, log_id)
        if done is None:
            return None
        size, written, is_last = done
        total += written
        if is_last:
            return Exported(size=size, written=total)


def compare(*, log_id: int = LOG_ID) -> Compared | None:
    """Read the whole store back and compare each object with the database; None without a store.

    `missing` are not in the store, `different` have other bytes, `foreign` are checkpoints, and
    what others said of them, that the database does not have, `disturbed` were written to or
    deleted in the store.
    """
    if not settings.EXPORT:
        return None
    store = opened()
    # The store first: the database is never behind what an earlier look at it put there.
    largest = export_objects.largest_checkpoint(store, log_id)
    last = export_objects.last_run(store, log_id)
    if last.size < (largest or 0):  # an export that is under way says last of all that it is done
        time.sleep(_UNDER_WAY_S)
        last = export_objects.last_run(store, log_id)
    with _one_moment() as cursor:
        newest = published.newest(cursor, log_id)
        size = newest.size if newest else 0
        # Of a run that was cut off, or whose object was taken away, the checkpoint says how far.
        covered = Run(min(max(last.size, largest or 0), size), last.until - OVERLAP)
        missing, different = _unequal(cursor, store, log_id, covered)
        if last.size < (largest or 0):
            missing.append(f"{log_id}/run up to {largest} leaves")
        foreign = set(export_objects.foreign(cursor, store, log_id))
    if foreign:  # what an export put meanwhile is known to a later look at the database
        with _one_moment() as cursor:
            foreign.intersection_update(export_objects.foreign(cursor, store, log_id))
    return Compared(
        size=size,
        stored_size=largest,
        is_rolled_back=largest is not None and largest > size,
        missing=missing,
        different=different,
        foreign=sorted(foreign),
        disturbed=[key for key in store.disturbed() if key.startswith(f"{log_id}/")],
    )


def opened() -> Store:
    """Return the store that the settings name, or raise `StoreUnusable`."""
    place = str(settings.EXPORT)
    if place.startswith("s3://"):
        return s3_store.at(place, retention=timedelta(days=settings.EXPORT_RETENTION_DAYS))
    return FolderStore(Path(place).expanduser().absolute())


@contextmanager
def _one_moment() -> Iterator[CursorWrapper]:
    """Give a cursor that sees one state of the database and cannot change it."""
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield cursor


def _step(store: Store, log_id: int) -> tuple[int, int, bool] | None:
    """Export up to the next checkpoint that is not too far; return size, objects, is-last."""
    largest = export_objects.largest_checkpoint(store, log_id)
    last = export_objects.last_run(store, log_id)
    with _one_moment() as cursor:
        newest = published.newest(cursor, log_id)
        if largest is not None and (newest is None or largest > newest.size):
            raise RolledBack(
                f"{store.name} has a checkpoint of {largest} leaves, the database's newest has "
                f"{newest.size if newest else 0}: recover the rest from there"
            )
        if newest is None:
            return None
        target = _target(cursor, log_id, last.size, newest)
        _demand_signed(cursor, log_id, target)
        cursor.execute("SELECT clock_timestamp()")
        (now,) = cursor.fetchone()
        objects = _objects(cursor, log_id, last, Run(target.size, now))
        written = sum(_put(store, key, data) for key, data in objects)
    if written:
        # Last of all: whoever reads it knows that all before it is there.
        store.put(*Run(target.size, now).to_object(log_id))
    return target.size, written, target.size == newest.size


def _put(store: Store, key: str, data: bytes) -> bool:
    if not data:  # it would stand there for good
        raise NotSigned(f"{key} is empty in the database: it was not exported. Run `trail verify`")
    return store.put(key, data)


def _objects(cursor: CursorWrapper, log_id: int, last: Run, now: Run) -> Iterator[Object]:
    """Yield what a step puts; a checkpoint after the tree that it signs."""
    since = min(last.size, now.size)
    yield from export_objects.of_tree(cursor, log_id, since, now.size)
    # The last one again: its bytes are compared, so that a fork from there is no continuation.
    yield from export_objects.of_checkpoints(cursor, log_id, since - 1, now.size)
    yield from export_objects.of_others(
        cursor, log_id, since, now.size, after=last.until - OVERLAP, before=now.until
    )


def _target(cursor: CursorWrapper, log_id: int, since: int, newest: Published) -> Published:
    cursor.execute(
        "SELECT coalesce((SELECT max(size) FROM audit.checkpoint WHERE log_id = %(log)s "
        "AND size > %(since)s AND size <= %(since)s + %(step)s), "
        "(SELECT min(size) FROM audit.checkpoint WHERE log_id = %(log)s AND size > %(since)s))",
        {"log": log_id, "since": since, "step": STEP},
    )
    (size,) = cursor.fetchone()
    return (size and published.of_size(cursor, log_id, size)) or newest


def _demand_signed(cursor: CursorWrapper, log_id: int, signed: Published) -> None:
    reader = tiles.TiledReader(stored.fetch(cursor, log_id))
    try:
        is_signed = merkle.root_at(signed.size, reader) == signed.root
    except tiles.HashMissing:
        is_signed = False
    if not is_signed:
        raise NotSigned(
            f"the stored tree of {signed.size} leaves is not the one that its checkpoint signs: "
            "nothing was exported. Run `trail verify`"
        )


def _unequal(
    cursor: CursorWrapper, store: Store, log_id: int, covered: Run
) -> tuple[list[str], list[str]]:
    """Compare all that runs have covered; objects of the next one may still be missing."""
    missing, different = [], []
    for key, data in _objects(cursor, log_id, Run(0, FIRST), covered):
        found = store.get(key)
        if found is None:
            missing.append(key)
        elif found != data:
            different.append(key)
    return missing, different
