"""Keep what was collected on disk until the product has it."""

import fcntl
import hashlib
import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from batches.exchange.collectors.samples import Note, Sample, Taken, moment

# How many samples are remembered after they were taken, so that a broker may deliver them again.
REMEMBERED = 200_000
_BUSY_S = 60.0
_POSTED = "posted"  # the state that counts the posts of readings that were delivered
_SCHEMA = """
CREATE TABLE IF NOT EXISTS item (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,  -- never used again, also after a delivery
    kind TEXT NOT NULL CHECK (kind IN ('reading', 'event')),
    batch TEXT NOT NULL,
    line TEXT NOT NULL,
    is_historical INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS sending (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    kind TEXT NOT NULL, batch TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS seen (digest BLOB PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS seen_number ON seen (number);
CREATE TABLE IF NOT EXISTS dead_letter (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    sequence INTEGER, kind TEXT NOT NULL, batch TEXT NOT NULL, line TEXT NOT NULL,
    is_historical INTEGER NOT NULL, refused_at TEXT NOT NULL, status INTEGER NOT NULL,
    code TEXT NOT NULL, detail TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS note (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL, kind TEXT NOT NULL, batch TEXT NOT NULL, tag TEXT NOT NULL, text TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""


class BufferFull(Exception):
    """Nothing more fits; what was not taken in is still with its source, or a gap that is noted."""


class BufferUnusable(Exception):
    """The file is damaged, belongs to another source, or another collector has it."""


@dataclass(frozen=True)
class Parcel:
    """One write to the API: frozen on disk before it is sent, and equal each time it is sent."""

    source: str
    kind: str
    batch: str
    lines: tuple[tuple[int, str], ...]  # sequence and text
    number: int | None = None  # among the posts of a registered source, where it is counted

    @property
    def body(self) -> bytes:
        end = "\n" if self.kind == "reading" else ""
        return "".join(line + end for _, line in self.lines).encode()

    @property
    def key(self) -> str:
        """Name the write by source, range and content: the same parcel has the same key."""
        digest = hashlib.sha256(self.body).hexdigest()[:16]
        return f"{self.source}:{self.lines[0][0]}-{self.lines[-1][0]}:{digest}"


@dataclass(frozen=True)
class DeadLetter:
    id: int
    sequence: int | None
    kind: str
    batch: str
    line: str
    refused_at: str
    status: int
    code: str
    detail: str


class Buffer:
    """A buffer that one collector fills and empties; each thread has a connection of its own."""

    def __init__(
        self, path: Path, *, source: str, most: int, remembered: int = REMEMBERED,
        is_numbered: bool = False,
    ) -> None:  # fmt: skip
        self._path, self._source, self._most = path, source, most
        self._remembered, self._is_numbered = remembered, is_numbered
        self._connection = _connected(path)
        with _readable(path), self._writing() as write:
            for statement in _SCHEMA.split(";\n"):
                if statement.strip():
                    write.execute(statement)
            write.execute("INSERT OR IGNORE INTO state VALUES ('source', ?)", (source,))
        if (found := self.state("source")) != source:
            raise BufferUnusable(f"{path} belongs to the source {found}, not to {source}")

    def again(self) -> "Buffer":
        """Return the same buffer with another connection, for another thread."""
        return Buffer(
            self._path, source=self._source, most=self._most, remembered=self._remembered,
            is_numbered=self._is_numbered,
        )  # fmt: skip

    def close(self) -> None:
        self._connection.close()

    # --- In

    def put(self, taken: Taken) -> int:
        """Store all of it or nothing; return how many samples are new. Raise `BufferFull`."""
        new = 0
        with self._writing() as write:
            for sample in taken.samples:
                if self._is_new(write, sample):
                    new += 1
                    self._add(
                        write, "reading", sample.target.batch, _line(sample), sample.is_historical
                    )
            for note in taken.notes:
                self._note(write, note)
            for aside in taken.aside:
                write.execute(
                    "INSERT INTO dead_letter (kind, batch, line, is_historical, refused_at, status,"
                    " code, detail) VALUES ('aside', '', ?, 0, ?, 0, ?, '')",
                    (aside.text, moment(aside.at), aside.code),
                )
            write.executemany(
                "INSERT OR REPLACE INTO state VALUES (?, ?)", list(taken.states.items())
            )
            held = self._held(write)
            if held > self._most and (new or taken.aside):
                raise BufferFull(f"{self._path} holds {self._most} items, its `most_items`")
            write.execute(
                "DELETE FROM seen WHERE number <= (SELECT max(number) FROM seen) - ?",
                (self._remembered,),
            )
        return new

    def _is_new(self, write: sqlite3.Connection, sample: Sample) -> bool:
        named = json.dumps([*_identity(sample)]).encode()
        done = write.execute(
            "INSERT OR IGNORE INTO seen SELECT ?, coalesce(max(number), 0) + 1 FROM seen",
            (hashlib.sha256(named).digest(),),
        )
        return done.rowcount == 1

    def _note(self, write: sqlite3.Connection, note: Note) -> None:
        write.execute(
            "INSERT INTO note (at, kind, batch, tag, text) VALUES (?, ?, ?, ?, ?)",
            (moment(note.at), note.kind, note.batch, note.tag, note.text),
        )
        if note.batch:
            details = {"collector": self._source, "note": note.kind, **note.details}
            event = {
                "kind": "alarm" if note.kind == "alarm" else "observation",
                "occurred_at": moment(note.at), "text": note.text, "tag": note.tag,
                "details": details,
            }  # fmt: skip
            self._add(write, "event", note.batch, json.dumps(event, ensure_ascii=False), False)

    @staticmethod
    def _add(
        write: sqlite3.Connection, kind: str, batch: str, line: str, is_historical: bool
    ) -> None:
        write.execute(
            "INSERT INTO item (kind, batch, line, is_historical) VALUES (?, ?, ?, ?)",
            (kind, batch, line, is_historical),
        )

    # --- Out

    def parcel(self, most: int) -> Parcel | None:
        """Return what is to be sent next; what was begun before comes again, the very same."""
        with self._writing() as write:
            found = write.execute("SELECT kind, batch, first, last FROM sending").fetchone()
            if found is None:
                oldest = write.execute(
                    "SELECT kind, batch, sequence FROM item ORDER BY sequence LIMIT 1"
                ).fetchone()
                if oldest is None:
                    return None
                kind, batch, first = oldest
                rows = write.execute(
                    "SELECT sequence FROM item WHERE sequence >= ? AND kind = ? AND batch = ?"
                    " ORDER BY sequence LIMIT ?",
                    (first, kind, batch, most if kind == "reading" else 1),
                ).fetchall()
                found = (kind, batch, first, rows[-1][0])
                write.execute("INSERT INTO sending VALUES (1, ?, ?, ?, ?)", found)
            kind, batch, first, last = found
            lines = write.execute(
                "SELECT sequence, line FROM item WHERE sequence BETWEEN ? AND ?"
                " AND kind = ? AND batch = ? ORDER BY sequence",
                (first, last, kind, batch),
            ).fetchall()
            number = int(self.state(_POSTED) or 0) + 1
        is_counted = self._is_numbered and kind == "reading"
        return Parcel(self._source, kind, batch, tuple(lines), number if is_counted else None)

    def delivered(self, parcel: Parcel) -> None:
        """Forget what the product has; what was refused used no number, so none is left out."""
        with self._writing() as write:
            self._remove(write, parcel)
            if parcel.number is not None:
                write.execute(
                    "INSERT OR REPLACE INTO state VALUES (?, ?)", (_POSTED, str(parcel.number))
                )

    def refused(
        self, parcel: Parcel, *, reasons: dict[int, str], status: int, code: str, at: datetime
    ) -> None:
        """Put the lines of the given sequences aside; the others are sent in a parcel of their own."""
        with self._writing() as write:
            for sequence, detail in reasons.items():
                write.execute(
                    "INSERT INTO dead_letter (sequence, kind, batch, line, is_historical,"
                    " refused_at, status, code, detail)"
                    " SELECT sequence, kind, batch, line, is_historical, ?, ?, ?, ?"
                    " FROM item WHERE sequence = ?",
                    (moment(at), status, code, detail, sequence),
                )
                write.execute("DELETE FROM item WHERE sequence = ?", (sequence,))
            write.execute("DELETE FROM sending")

    def split(self, parcel: Parcel) -> None:
        """Send the first half of it alone, when all of it was too large."""
        half = parcel.lines[max(0, len(parcel.lines) // 2 - 1)][0]
        with self._writing() as write:
            write.execute("UPDATE sending SET last = ?", (half,))

    @staticmethod
    def _remove(write: sqlite3.Connection, parcel: Parcel) -> None:
        write.executemany(
            "DELETE FROM item WHERE sequence = ?", [(sequence,) for sequence, _ in parcel.lines]
        )
        write.execute("DELETE FROM sending")

    # --- What a person asks

    def state(self, name: str) -> str | None:
        found = self._connection.execute("SELECT value FROM state WHERE name = ?", (name,))
        row = found.fetchone()
        return None if row is None else str(row[0])

    def waiting(self) -> int:
        """Return how many items are not delivered yet."""
        return int(self._connection.execute("SELECT count(*) FROM item").fetchone()[0])

    def is_nearly_full(self) -> bool:
        return self._held(self._connection) > 0.9 * self._most

    def dead_letters(self) -> list[DeadLetter]:
        rows = self._connection.execute(
            "SELECT id, sequence, kind, batch, line, refused_at, status, code, detail"
            " FROM dead_letter ORDER BY id"
        )
        return [DeadLetter(*row) for row in rows]

    def notes(self) -> list[tuple[str, str, str, str, str]]:
        """Return moment, kind, batch, tag and text of each note."""
        rows = self._connection.execute("SELECT at, kind, batch, tag, text FROM note ORDER BY id")
        return list(rows)

    def send_again(self) -> int:
        """Queue the refused lines again, behind all others; return how many.

        Under their old sequence they could change a parcel that is on its way.
        """
        with self._writing() as write:
            write.execute(
                "INSERT INTO item (kind, batch, line, is_historical)"
                " SELECT kind, batch, line, is_historical"
                " FROM dead_letter WHERE kind <> 'aside' ORDER BY id"
            )
            return write.execute("DELETE FROM dead_letter WHERE kind <> 'aside'").rowcount

    @staticmethod
    def _held(connection: sqlite3.Connection) -> int:
        found = connection.execute(
            "SELECT (SELECT count(*) FROM item) + (SELECT count(*) FROM dead_letter)"
        )
        return int(found.fetchone()[0])

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """Write in one transaction; a full disk is a full buffer."""
        connection = self._connection
        try:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")
        except sqlite3.OperationalError as error:
            self._roll_back()
            if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_FULL:
                raise BufferFull(f"{self._path}: {error}") from error
            raise
        except BaseException:
            self._roll_back()
            raise

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")


@contextmanager
def owned(path: Path) -> Iterator[None]:
    """Keep every other collector away from the buffer; raise `BufferUnusable` when one has it."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BufferUnusable(f"another collector works with {path}") from error
        yield
    finally:
        os.close(lock)


def check(path: Path) -> None:
    """Raise `BufferUnusable` when the file does not read as it was written."""
    with _readable(path):
        connection = _connected(path)
        try:
            said = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        finally:
            connection.close()
    if said != "ok":
        raise BufferUnusable(f"{path} is damaged: {said}; keep the file, begin with another one")


def _connected(path: Path) -> sqlite3.Connection:
    with _readable(path):
        if not path.exists():
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        connection = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        # Each commit is on the disk when it returns: what was acknowledged to a source stays.
        connection.execute("PRAGMA synchronous = FULL")
    return connection


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.DatabaseError, OSError) as error:
        raise BufferUnusable(f"{path}: {error}") from error


def _line(sample: Sample) -> str:
    said: dict[str, Any] = {
        "tag": sample.target.tag,
        "at": moment(sample.at),
        "value": sample.value,
        "unit": sample.target.unit,
    }
    return json.dumps(said, ensure_ascii=False, separators=(",", ":"))


def _identity(sample: Sample) -> tuple[str, ...]:
    target = sample.target
    return target.batch, target.tag, target.unit, moment(sample.at), sample.value


def now() -> datetime:
    return datetime.now(UTC)
