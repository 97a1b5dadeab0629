"""Put back the end of a log that a restored database has lost, from an export of it."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from django.db import connections, transaction
from django.db.backends.utils import CursorWrapper

from compliance.refusals import Refused
from compliance.trail import (
    exported,
    keys,
    log_events,
    recording,
    recovered_attestations,
    recovered_rows,
    stored,
)
from compliance.trail.exported import ExportIncomplete, Source
from compliance.trail.recording import Actor
from compliance.trail.recovered_rows import Rows
from compliance.trail.stored import State
from compliance.trail.tlog import canonical, leaf, merkle, tiles
from compliance.trail.tlog.checkpoint import Checkpoint
from compliance.trail.tlog.key_documents import KeyRefused

ALIAS = "owner"
KIND = "recovery"
BATCH = 1 << 14
_Signed = dict[int, tuple[Checkpoint, str, int | None]]  # with its note, and its POSIX time


class Unrecoverable(Refused):
    """The export does not continue what the database has; a new origin is the way forward."""

    code = "log-unrecoverable"


@dataclass(frozen=True, kw_only=True)
class Recovered:
    """Leaves [start, end) that were put back, and the records whose rows came with them."""

    start: int
    end: int
    rows: Rows
    lost_tokens: tuple[str, ...]  # SHA-256 of time stamps that the export does not have either


def recover(
    source: Source, *, actor: Actor, at: datetime, reason: str, origin: str | None = None
) -> Recovered:
    """Put back entries, leaves, checkpoints and rows up to the export's last checkpoint, or none.

    Cosignatures and time stamps come back as far as the export has them; the log is told which
    time stamps are lost, so that a verification knows of those and of no other.
    Every checkpoint on the way must be signed and have the root that the bodies lead to. Raise
    `Unrecoverable` where they do not, or where the database went on after it was restored.
    """
    log_id = stored.log_id_of(origin, using=ALIAS)
    signed = _signed(source, origin, log_id)
    with _nobody_writes() as cursor:
        state = stored.state(cursor, lock=True, log_id=log_id)
        end = max(signed, default=0)
        tail, rows = _Tail(cursor, state, signed), recovered_rows.Changes()
        if end > state.size:
            try:
                found = exported.bodies(source, log_id=log_id, start=state.size, end=end)
                tail.plant(found, rows)
            except ExportIncomplete as error:
                raise Unrecoverable(str(error)) from error
        tail.finish()
        recovered_attestations.put_back(cursor, source, log_id=log_id)
        cursor.execute("SET LOCAL ROLE gmp_owner")
        applied = recovered_rows.apply(cursor, rows)
        lost = recovered_attestations.lost(cursor, using=ALIAS)
        document: dict[str, canonical.Value] = {
            "v": 1,
            "origin": state.origin,
            "from": state.size,
            "to": tail.tree.size,
            "root": tail.tree.root().hex(),
            "rows": applied.count,
            "incomplete": list(applied.incomplete),
            "lost_tokens": lost,
        }
        with recording.into(log_id):
            log_events.record(KIND, document, actor=actor, at=at, reason=reason, using=ALIAS)
    return Recovered(start=state.size, end=tail.tree.size, rows=applied, lost_tokens=tuple(lost))


@contextmanager
def _nobody_writes() -> Iterator[CursorWrapper]:
    """Open a transaction in the trail's own role, while no act is under way and none begins."""
    with transaction.atomic(using=ALIAS, durable=True), connections[ALIAS].cursor() as cursor:
        cursor.execute("SET LOCAL ROLE gmp_trail")
        cursor.execute("LOCK TABLE audit.log IN ACCESS EXCLUSIVE MODE")
        yield cursor


def _signed(source: Source, origin: str | None, log_id: int) -> _Signed:
    history = keys.history(origin)
    found: _Signed = {}
    for name, note in exported.checkpoints(source, log_id=log_id):
        try:
            checkpoint, at = history.timed(note)
        except KeyRefused as error:
            raise Unrecoverable(f"{name}: {error}") from error
        found[checkpoint.size] = checkpoint, note, at
    return found


class _Tail:
    """The end of the log as it grows back, compared with each checkpoint that was signed of it."""

    def __init__(self, cursor: CursorWrapper, state: State, signed: _Signed) -> None:
        self.state = state
        self.tree = merkle.CompactRange(state.size, state.range)
        self._cursor = cursor
        self._signed = signed
        self._chain = leaf.Chain(origin=state.origin, size=state.size, head=state.chain)
        self._unsealed = self._read_unsealed()
        self._compare()

    def plant(self, bodies: Iterable[bytes], rows: recovered_rows.Changes) -> None:
        """Add entries and their leaves, batch after batch."""
        bodies = iter(bodies)
        while batch := list(islice(bodies, BATCH)):
            digests = [leaf.entry_digest(body) for body in batch]
            # Committed before the copy of the database was made, and sealed after it.
            known = [self._unsealed.pop(digest, None) for digest in digests]
            ids = [
                one or next_id for one, next_id in zip(known, self._ids(len(batch)), strict=True)
            ]
            self._cursor.executemany(
                "INSERT INTO audit.entry (entry_id, xid, log_id, body, digest) "
                "VALUES (%s, pg_current_xact_id(), %s, %s, %s)",
                [
                    (entry_id, self.state.log_id, body, digest)
                    for entry_id, body, digest, there in zip(
                        ids, batch, digests, known, strict=True
                    )
                    if there is None
                ],
            )
            self._seal(ids, digests)
            for body, digest in zip(batch, digests, strict=True):
                rows.add(body, digest)

    def finish(self) -> None:
        """Store the end of the log and its checkpoints; refuse what was written after it."""
        if self._unsealed and self.tree.size > self.state.size:
            raise Unrecoverable(
                f"{len(self._unsealed)} entries were written after the database was restored, "
                "and are no part of the signed history: open a new origin"
            )
        self._cursor.execute(
            "UPDATE audit.log_state SET size = %s, root = %s, chain = %s, range = %s "
            "WHERE log_id = %s",
            [
                self.tree.size,
                self.tree.root(),
                self._chain.head,
                list(self.tree.hashes),
                self.state.log_id,
            ],
        )
        self._cursor.executemany(
            "INSERT INTO audit.checkpoint (log_id, size, root, note, signed_at) VALUES "
            "(%s, %s, %s, %s, coalesce(to_timestamp(%s), clock_timestamp())) "
            "ON CONFLICT DO NOTHING",
            [
                (self.state.log_id, size, one.root, note, at)
                for size, (one, note, at) in self._signed.items()
            ],
        )

    def _seal(self, ids: list[int], digests: list[bytes]) -> None:
        leaves, nodes = [], []
        for entry_id, digest in zip(ids, digests, strict=True):
            index, previous = self._chain.size, self._chain.head
            leaf_hash = self._chain.append(digest)
            leaves.append((self.state.log_id, index, entry_id, leaf_hash, previous))
            for level, position, node in self.tree.append(leaf_hash):
                if level % tiles.TILE_HEIGHT == 0:
                    nodes.append((self.state.log_id, level, position, node))
            self._compare()
        self._cursor.executemany("INSERT INTO audit.leaf VALUES (%s, %s, %s, %s, %s)", leaves)
        self._cursor.executemany("INSERT INTO audit.node VALUES (%s, %s, %s, %s)", nodes)

    def _compare(self) -> None:
        checkpoint, *_ = self._signed.get(self.tree.size, (None,))
        if checkpoint is not None and checkpoint.root != self.tree.root():
            raise Unrecoverable(
                f"the first {self.tree.size} leaves are not those that were signed: the database "
                "went on after it was restored, or the export was altered"
            )

    def _ids(self, count: int) -> list[int]:
        self._cursor.execute(
            "SELECT nextval('audit.entry_id_seq') FROM generate_series(1, %s)", [count]
        )
        ids = [number for (number,) in self._cursor.fetchall()]
        self._cursor.execute("SELECT audit.ensure_partitions()")
        return ids

    def _read_unsealed(self) -> dict[bytes, int]:
        self._cursor.execute(
            "SELECT e.digest, e.entry_id FROM audit.entry e WHERE e.log_id = %s AND e.entry_id > %s "
            "AND NOT EXISTS (SELECT FROM audit.leaf l WHERE l.entry_id = e.entry_id)",
            [self.state.log_id, self.state.scan_from],
        )
        return {bytes(digest): entry_id for digest, entry_id in self._cursor.fetchall()}
