"""Read what evidence bundles need from the database, all of one moment (bundles.Source)."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from compliance.trail import archiving, published, stored
from compliance.trail.bundles import Row
from compliance.trail.seals import SealedHeads
from compliance.trail.stored import LOG_ID
from compliance.trail.tlog import leaf, merkle
from compliance.trail.verifier.contents import Opening, Record, TimeStamp

_ROWS = (
    "SELECT l.idx, e.body, e.digest, l.previous FROM audit.leaf l "
    "LEFT JOIN audit.entry e ON e.entry_id = l.entry_id {join} WHERE l.log_id = %s AND {where} "
    "ORDER BY l.idx"
)


class LogSource:
    """One log of this database, as of the transaction it is read in."""

    def __init__(self, cursor: CursorWrapper, *, log_id: int = LOG_ID) -> None:
        self._cursor = cursor
        self._log_id = log_id
        self.origin = stored.state(cursor, log_id=log_id).origin
        self._newest = published.newest(cursor, log_id)

    def newest(self) -> int:
        return self._newest.size if self._newest else 0

    def note(self, size: int) -> bytes:
        found = published.of_size(self._cursor, self._log_id, size)
        if found is None:
            raise LookupError(f"there is no checkpoint of {size} leaves")
        return found.cosigned.encode()

    def reader(self) -> merkle.Reader:
        return stored.reader(self._cursor, log_id=self._log_id)

    def entries_of(self, record: Record) -> Iterator[Row]:
        yield from self._rows(
            "p.record = %s AND p.record_id = %s",
            list(record),
            join="JOIN audit.projection p ON p.entry_id = l.entry_id",
        )

    def entries_at(self, indices: Iterable[int]) -> Iterator[Row]:
        yield from self._rows("l.idx = ANY(%s)", [sorted(indices)])

    def log_events(self, kind: str) -> list[Row]:
        rows = self._rows(
            "p.record = 'trail_logevent'",
            [],
            join="JOIN audit.projection p ON p.entry_id = l.entry_id",
        )
        return [row for row in rows if _kind(row.body) == kind]

    def heads(self, *, tree_size: int, buckets: int) -> SealedHeads:
        return SealedHeads(self._cursor, log_id=self._log_id, tree_size=tree_size, buckets=buckets)

    def openings(self, indices: Iterable[int]) -> list[Opening]:
        self._cursor.execute(
            "WITH wanted AS MATERIALIZED (SELECT idx, entry_id FROM audit.leaf "
            "WHERE log_id = %s AND idx = ANY(%s)) "
            "SELECT w.idx, o.path, o.salt, o.value FROM wanted w JOIN "
            "audit.openings_of_entries((SELECT array_agg(entry_id) FROM wanted)) o USING (entry_id)",
            [self._log_id, sorted(indices)],
        )
        return [
            Opening(index=index, path=path, salt=bytes(salt), value=value)
            for index, path, salt, value in self._cursor.fetchall()
        ]

    def timestamps(self) -> Mapping[int, TimeStamp]:
        self._cursor.execute(
            "SELECT t.size, t.tsr, c.note FROM audit.timestamp t "
            "JOIN audit.checkpoint c USING (log_id, size) WHERE t.log_id = %s",
            [self._log_id],
        )
        return {
            size: TimeStamp(response=bytes(tsr), note=note.encode())
            for size, tsr, note in self._cursor.fetchall()
        }

    def _rows(self, where: str, values: list[Any], *, join: str = "") -> Iterator[Row]:
        self._cursor.execute(_ROWS.format(where=where, join=join), [self._log_id, *values])
        for index, body, digest, previous in self._cursor.fetchall():
            if body is None:
                body, digest = self._archived(index)  # noqa: PLW2901 -- the same, from elsewhere
            if body is not None:  # else it was taken away: the verifier says MISSING
                yield Row(
                    index=index, body=bytes(body), digest=bytes(digest), previous=bytes(previous)
                )

    def _archived(self, index: int) -> tuple[bytes, bytes] | tuple[None, None]:
        """Return an entry whose bytes are in an archive file only."""
        try:
            body = archiving.read_body(index, log_id=self._log_id)
        except archiving.NotArchived:
            return None, None
        return body, leaf.entry_digest(body)


@contextmanager
def opened(*, log_id: int = LOG_ID) -> Iterator[LogSource]:
    """Open a log for reading in one REPEATABLE READ transaction."""
    with transaction.atomic(), connection.cursor() as cursor:
        if not connection.savepoint_ids:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield LogSource(cursor, log_id=log_id)


def _kind(body: bytes) -> str:
    """Return the kind of a log event; empty for what was planted and is none."""
    try:
        return str(json.loads(body)["new"]["kind"])
    except (ValueError, LookupError, TypeError, RecursionError):
        return ""
