"""Read the log in one snapshot: long values for many leaves at once, or one row at a time."""

import struct
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import psycopg
from psycopg import Connection

from compliance.trail.tlog import leaf
from compliance.trail.verifying.archives import Archives
from compliance.trail.verifying.work import Plan

LARGEST = 64 * 2**20  # bytes of a body that is read at all; no entry comes near it
# Those of the act first: entries of one act have them in common.
SHOWN_COLUMNS = ("act", "action", "actor", "role", "reason", "source", "op", "record", "record_id")
UNIT, RECORD = "\x1f", "\x1e"
_TEXTS = " || E'\\x1f' || ".join(f"p.{name}" for name in SHOWN_COLUMNS)


class Stretch(NamedTuple):
    """Leaves in order of their index with their entries, each column as one value."""

    leaves: int
    entries: int
    bodies: int
    projections: int
    is_sized: bool | None  # every hash has 32 bytes
    indices: bytes
    entry_ids: bytes
    leaf_hashes: bytes
    previous: bytes
    digests: bytes
    lines: bytes  # bodies
    numbers: bytes  # time and number of each projected row
    texts: str  # the other search columns


_STRETCH = f"""
SELECT count(*), count(e.entry_id), count(e.body), count(p.entry_id),
    bool_and(octet_length(l.leaf_hash) = 32 AND octet_length(l.previous) = 32
        AND octet_length(e.digest) = 32 AND octet_length(e.body) < 1048576),
    string_agg(int8send(l.idx), ''::bytea), string_agg(int8send(l.entry_id), ''::bytea),
    string_agg(l.leaf_hash, ''::bytea), string_agg(l.previous, ''::bytea),
    string_agg(e.digest, ''::bytea),
    string_agg(CASE WHEN octet_length(e.body) < 1048576 THEN e.body END, '\\x0a'::bytea),
    string_agg(timestamptz_send(p.at) || int8send(p.record_seq), ''::bytea),
    string_agg({_TEXTS}, E'\\x1e')
FROM (SELECT * FROM audit.leaf WHERE log_id = %s AND idx >= %s AND idx < %s ORDER BY idx) l
LEFT JOIN audit.entry e ON e.entry_id = l.entry_id AND e.log_id = l.log_id
LEFT JOIN audit.projection p
    ON p.entry_id = l.entry_id AND p.log_id = l.log_id AND p.idx = l.idx
"""  # noqa: S608 -- of our own columns


# The same in three scans, for leaves whose entries are in the order of their ids, with no other
# entry between them, as they are while nobody commits late: a look into an index for each entry
# and each projected row costs more than the rows themselves.
_LEAVES = """
SELECT count(*),
    bool_and(octet_length(f.leaf_hash) = 32 AND octet_length(f.previous) = 32),
    string_agg(int8send(f.idx), ''::bytea), string_agg(int8send(f.entry_id), ''::bytea),
    string_agg(f.leaf_hash, ''::bytea), string_agg(f.previous, ''::bytea)
FROM (SELECT * FROM audit.leaf WHERE log_id = %s AND idx >= %s AND idx < %s ORDER BY idx) f
"""
_ENTRIES = """
SELECT count(f.body),
    bool_and(octet_length(f.digest) = 32 AND octet_length(f.body) < 1048576),
    string_agg(int8send(f.entry_id), ''::bytea), string_agg(f.digest, ''::bytea),
    string_agg(CASE WHEN octet_length(f.body) < 1048576 THEN f.body END, '\\x0a'::bytea)
FROM (SELECT entry_id, digest, body FROM audit.entry
    WHERE log_id = %s AND entry_id >= %s AND entry_id <= %s ORDER BY entry_id LIMIT %s) f
"""
_PROJECTED = f"""
SELECT string_agg(int8send(p.entry_id), ''::bytea), string_agg(int8send(p.idx), ''::bytea),
    string_agg(timestamptz_send(p.at) || int8send(p.record_seq), ''::bytea),
    string_agg({_TEXTS}, E'\\x1e')
FROM (SELECT * FROM audit.projection
    WHERE log_id = %s AND entry_id >= %s AND entry_id <= %s ORDER BY entry_id LIMIT %s) p
"""  # noqa: S608 -- of our own columns


class Row(NamedTuple):
    """A leaf as stored, with its entry and its search columns where those are there."""

    idx: int
    entry_id: int | None
    leaf_hash: bytes | None
    previous: bytes | None
    found: int | None
    size: int | None
    body: bytes | None
    digest: bytes | None
    projected: int | None
    projected_idx: int | None
    at: str | None
    act: str | None
    action: str | None
    actor: str | None
    role: str | None
    op: str | None
    reason: str | None
    record: str | None
    record_id: str | None
    source: str | None
    record_seq: int | None
    is_archived: bool = False


# A time as text, so that one which Python cannot hold is no error; to_char gives nothing for it.
_ROWS = f"""
SELECT l.idx, l.entry_id, l.leaf_hash, l.previous, e.entry_id, octet_length(e.body),
    CASE WHEN octet_length(e.body) <= {LARGEST} THEN e.body END, e.digest, p.entry_id, p.idx,
    CASE WHEN isfinite(p.at)
        THEN to_char(p.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
        ELSE p.at::text END,
    p.act, p.action, p.actor, p.role, p.op, p.reason, p.record, p.record_id, p.source, p.record_seq
FROM (SELECT * FROM audit.leaf WHERE log_id = %s AND idx >= %s AND idx < %s ORDER BY idx) l
LEFT JOIN audit.entry e ON e.entry_id = l.entry_id AND e.log_id = l.log_id
LEFT JOIN audit.projection p
    ON p.entry_id = l.entry_id AND p.log_id = l.log_id
"""  # noqa: S608 -- a number of ours
# The plan that keeps the order of the leaves and reads little else, whatever the statistics say. And
# one value larger than any that follows: the C library of the server gives memory back when more lies
# idle than twice the largest value that it has seen, so that every stretch would be written to new
# pages, a fifth of what reading it costs the server (glibc: M_MMAP_THRESHOLD, M_TRIM_THRESHOLD).
_SETTINGS = """
SET jit = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_sort = off;
SET max_parallel_workers_per_gather = 0; SET bytea_output = hex; SET extra_float_digits = 1;
SET statement_timeout = 0; SET lock_timeout = 0; SET DateStyle = ISO; SET IntervalStyle = postgres;
SET TimeZone = UTC; SET client_encoding = UTF8; SET search_path = pg_catalog, public, pg_temp;
SELECT octet_length(repeat('x', 20000000))
"""


class Source:
    """One connection that sees the moment of the plan, and begins again after an error."""

    def __init__(self, plan: Plan) -> None:
        self._snapshot = plan.snapshot
        self._archives = Archives(plan)
        self.connection: Connection[Any] = psycopg.connect(
            **plan.connection, autocommit=True, prepare_threshold=1
        )
        self.connection.execute(_SETTINGS, prepare=False)
        self._begin()

    def _begin(self) -> None:
        self.connection.execute(
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; "
            f"SET TRANSACTION SNAPSHOT '{self._snapshot}'",
            prepare=False,
        )

    def fetch(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return all rows; after an error the next statement works again."""
        try:
            with self.connection.cursor(binary=True) as cursor:
                return list(cursor.execute(statement, values).fetchall())
        except psycopg.Error:
            if not self.connection.closed:
                self.connection.execute("ROLLBACK", prepare=False)
                self._begin()
            raise

    def stretch(self, log_id: int, start: int, end: int) -> Stretch | None:
        """Return leaves [start, end) in one piece; nothing when they do not come so."""
        try:
            if (scanned := self._scanned(log_id, start, end)) is not None:
                return scanned
            (row,) = self.fetch(_STRETCH, [log_id, start, end])
        except (psycopg.DataError, psycopg.OperationalError, psycopg.InternalError):
            if self.connection.closed:
                raise
            return None  # a gigabyte together, a damaged page: row by row it is named
        return Stretch(*row)

    def _scanned(self, log_id: int, start: int, end: int) -> Stretch | None:
        """Return leaves [start, end) with the entries and projected rows of the same ids in order."""
        ((leaves, is_leaf_sized, indices, ids, leaf_hashes, previous),) = self.fetch(
            _LEAVES, [log_id, start, end]
        )
        if leaves != end - start or not is_leaf_sized:
            return None
        span = [log_id, *struct.unpack(">q", ids[:8]), *struct.unpack(">q", ids[-8:]), leaves + 1]
        ((bodies, is_sized, entry_ids, digests, lines),) = self.fetch(_ENTRIES, span)
        if entry_ids != ids or not is_sized:
            return None
        ((projected, places, numbers, texts),) = self.fetch(_PROJECTED, span)
        found = len(projected or b"")
        if (projected or b"", places or b"") != (ids[:found], indices[:found]):
            return None
        return Stretch(
            leaves=leaves, entries=leaves, bodies=bodies, projections=found // 8, is_sized=True,
            indices=indices, entry_ids=ids, leaf_hashes=leaf_hashes, previous=previous,
            digests=digests, lines=lines, numbers=numbers or b"", texts=texts or "",
        )  # fmt: skip

    def rows(self, log_id: int, start: int, end: int) -> Iterator[Row | tuple[int, int, str]]:
        """Yield leaves [start, end), or where they cannot be read, which part and why."""
        try:
            found = self.fetch(_ROWS, [log_id, start, end])
        except (psycopg.DataError, psycopg.OperationalError, psycopg.InternalError) as error:
            if self.connection.closed:
                raise
            if end - start == 1:
                yield start, end, str(error).splitlines()[0]
                return
            middle = (start + end) // 2
            yield from self.rows(log_id, start, middle)
            yield from self.rows(log_id, middle, end)
            return
        for row in found:
            yield self._filled(log_id, Row(*row))

    def archived(self, log_id: int, index: int, entry_id: int | None) -> bytes | None:
        """Return the body of an entry that was detached, where its archive file has one."""
        return self._archives.body(log_id, index, entry_id)

    def _filled(self, log_id: int, row: Row) -> Row:
        """Return a row with its entry from an archive file, where that is the place it went to."""
        if row.found is not None:
            return row
        body = self.archived(log_id, row.idx, row.entry_id)
        if body is None:
            return row
        return row._replace(
            found=row.entry_id, size=len(body), body=body, digest=leaf.entry_digest(body),
            is_archived=True,
        )  # fmt: skip

    def count(self, statement: str, values: Sequence[Any] = ()) -> int:
        """Return a number that is read from the tables themselves, not from their indexes."""
        indexes = ("enable_indexscan", "enable_indexonlyscan", "enable_bitmapscan")
        for name in indexes:
            self.connection.execute(f"SET {name} = off", prepare=False)
        try:
            return int(self.fetch(statement, values)[0][0])
        finally:
            for name in indexes:
                self.connection.execute(f"SET {name} = on", prepare=False)

    def close(self) -> None:
        self.connection.close()


def microseconds(at: datetime) -> int:
    """Return the whole microseconds since 1970."""
    whole = at.replace(microsecond=0)
    return int(whole.timestamp()) * 1_000_000 + at.microsecond
