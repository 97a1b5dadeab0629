"""Verify the whole trail from what is stored, in one snapshot; name everything that is wrong."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper
from psycopg import Connection

from compliance.trail import (
    bulk_seals,
    enforcement,
    stored,
    verified_checkpoints,
    verified_entries,
    verified_live,
)
from compliance.trail.findings import Fault, Findings, Verdict
from compliance.trail.stored import LOG_ID
from compliance.trail.tlog import leaf, merkle, tiles
from compliance.trail.verified_checkpoints import Checkpoints, NotAssessable
from compliance.trail.verified_entries import Entries

OVERDUE = timedelta(seconds=60)
Progress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class Report:
    """What was verified, and what was found. `faults` are the first ones, `counts` counts all."""

    entries: int
    leaves: int
    checkpoints: int
    unsealed: int
    root: bytes
    faults: tuple[Fault, ...]
    counts: Counter[Verdict]
    notes: tuple[str, ...]

    @property
    def is_intact(self) -> bool:
        return not self.counts

    @property
    def first(self) -> Fault | None:
        """The first bad entry of the log; else the first fault of any other kind."""
        placed = [fault for fault in self.faults if fault.index is not None]
        if placed:  # a fork names where its range begins, any other fault the very entry
            return min(placed, key=lambda fault: (fault.verdict == Verdict.FORK, fault.index))
        entries = [fault for fault in self.faults if fault.entry_id is not None]
        return next(iter(entries or self.faults), None)


def verify(progress: Progress | None = None) -> Report:
    """Verify everything; nothing stops at the first fault.

    Raise `NotAssessable` when there is no log, or no key for its checkpoints.
    """
    # Before the snapshot: what is published later is not in it, and would look cut off.
    outside = list(verified_checkpoints.outside(Path(settings.PUBLISHED_DIR)))
    findings = Findings()
    with _snapshot() as own, own.cursor() as cursor:
        raw: Connection[Any] = own.connection
        state = stored.state(cursor)
        checkpoints = Checkpoints(origin=state.origin, findings=findings)
        checkpoints.collect(cursor, outside)
        log = _Log(state, checkpoints, findings)
        log.read(raw, progress)
        log.compare_stored(cursor)
        unsealed = _unsealed(raw, log.entries, findings)
        for problem in enforcement.problems(cursor):
            findings.add(Verdict.DISABLED, problem)
        verified_live.check(raw, cursor, log.entries.heads, findings)
    for one in bulk_seals.broken():
        findings.add(Verdict.TAMPERED, one.message, record=one.record)
    return Report(
        entries=log.found_entries + unsealed,
        leaves=log.leaves,
        checkpoints=checkpoints.count,
        unsealed=unsealed,
        root=log.tree.root(),
        faults=tuple(findings.faults),
        counts=findings.counts,
        notes=tuple(findings.notes),
    )


@contextmanager
def _snapshot() -> Iterator[BaseDatabaseWrapper]:
    """Open a connection of its own, as the application, that sees one moment and only reads."""
    own = connections[DEFAULT_DB_ALIAS].copy()
    try:
        own.set_autocommit(False)
        with own.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            cursor.execute("SELECT to_regclass('audit.log_state') IS NULL")
            if cursor.fetchone() == (True,):
                raise NotAssessable("there is no log in this database: run `manage.py migrate`")
        yield own
    finally:
        own.close()


class _Log:
    """One pass over the leaves: chain, tree, nodes and roots, with the entries on the way."""

    def __init__(self, state: stored.State, checkpoints: Checkpoints, findings: Findings) -> None:
        self.state = state
        self.checkpoints = checkpoints
        self.findings = findings
        self.entries = Entries(origin=state.origin, findings=findings)
        self.tree = merkle.CompactRange()
        self.chain = leaf.chain_start(state.origin)
        self.leaves = 0
        self.found_entries = 0
        self.end = 0  # one more than the index of the last leaf
        self._nodes: dict[tuple[int, int], bytes] = {}

    @property
    def is_whole(self) -> bool:
        """Say whether no leaf is missing; else no root can be computed from there on."""
        return self.end == self.leaves

    def read(self, connection: Connection[Any], progress: Progress | None) -> None:
        self._compare_checkpoints()
        for row in verified_entries.sealed(connection):
            if row.idx != self.end:
                self.findings.add(
                    Verdict.MISSING, f"the log goes on at leaf {row.idx}", index=self.end
                )
            elif row.previous != self.chain:
                self.findings.add(
                    Verdict.TAMPERED,
                    "the chain is broken between this leaf and the one before it",
                    index=row.idx,
                    entry_id=row.entry_id,
                )
            self.end = row.idx + 1
            self.chain = leaf.chain_next(row.previous, row.leaf_hash)
            self.leaves += 1
            self.found_entries += row.body is not None
            self.entries.check_sealed(row, signed_at=self.checkpoints.signed_at(row.idx))
            if self.is_whole:
                self._append(row.leaf_hash)
            if progress and self.leaves % 1000 == 0:
                progress(self.leaves, self.state.size)
        self.entries.settle()
        self.checkpoints.finish(self.end)

    def compare_stored(self, cursor: CursorWrapper) -> None:
        """Compare the log's stored state, nodes and search columns with what was recomputed."""
        if self.is_whole:
            self._compare_end()
            self._compare_nodes(cursor)
        cursor.execute(
            "SELECT p.entry_id FROM audit.projection p WHERE NOT EXISTS (SELECT FROM audit.leaf l "
            "WHERE l.log_id = p.log_id AND l.entry_id = p.entry_id) LIMIT 1000"
        )
        for (entry_id,) in cursor.fetchall():
            self.findings.add(
                Verdict.PROJECTION_MISMATCH,
                "search shows an entry without a leaf",
                entry_id=entry_id,
            )

    def _compare_end(self) -> None:
        stored_end = (self.state.size, self.state.root, self.state.chain, self.state.range)
        if stored_end != (self.leaves, self.tree.root(), self.chain, self.tree.hashes):
            self.findings.add(
                Verdict.TAMPERED,
                f"the stored end of the log ({self.state.size} leaves) is not the one of its "
                f"{self.leaves} leaves",
                index=self.leaves if self.state.size != self.leaves else None,
            )

    def _compare_nodes(self, cursor: CursorWrapper) -> None:
        cursor.execute("SELECT level, pos, h FROM audit.node WHERE log_id = %s", [LOG_ID])
        nodes = {(level, position): bytes(h) for level, position, h in cursor.fetchall()}
        wrong = {key for key, _ in nodes.items() ^ self._nodes.items()}
        for level, position in sorted(wrong):
            self.findings.add(
                Verdict.TAMPERED,
                f"the stored subtree root at level {level}, position {position} is missing or "
                "not the one of its leaves",
                index=position << level,
            )

    def _append(self, leaf_hash: bytes) -> None:
        for level, position, node in self.tree.append(leaf_hash):
            if level % tiles.TILE_HEIGHT == 0:
                self._nodes[level, position] = node
        self._compare_checkpoints()

    def _compare_checkpoints(self) -> None:
        if self.is_whole and self.checkpoints.is_due(self.tree.size):
            self.checkpoints.compare(self.tree.size, self.tree.root())


def _unsealed(connection: Connection[Any], entries: Entries, findings: Findings) -> int:
    """Verify what has no leaf yet; return how many there are."""
    count, overdue = 0, 0
    with connection.cursor(name="verified_unsealed", binary=True) as cursor:
        cursor.execute(
            "SELECT e.entry_id, e.body, e.digest, e.entry_id <= s.scan_from, now() "
            "FROM audit.entry e JOIN audit.log_state s USING (log_id) "
            "WHERE e.log_id = %s AND NOT EXISTS (SELECT FROM audit.leaf l "
            "WHERE l.log_id = e.log_id AND l.entry_id = e.entry_id) ORDER BY e.entry_id",
            [LOG_ID],
        )
        for entry_id, body, digest, is_passed, now in cursor:
            count += 1
            at = entries.check_unsealed(entry_id, body, digest)
            overdue += at is not None and now - at > OVERDUE
            if is_passed:
                findings.add(
                    Verdict.TAMPERED,
                    "every entry up to here was sealed, and this one has no leaf",
                    entry_id=entry_id,
                )
    if overdue:
        findings.notes.append(
            f"{overdue} of {count} unsealed entries are older than {OVERDUE.seconds} s: "
            "is the sequencer running?"
        )
    return count
