"""Keep what is known within one range of leaves while it is verified."""

from typing import Any

import numpy as np

from compliance.trail.verifying import spill
from compliance.trail.verifying.source import Stretch
from compliance.trail.verifying.spill import Records
from compliance.trail.verifying.times import Times
from compliance.trail.verifying.work import RangeJob, RangeResult


class RangeState:
    """Where the chain is, the leaf hashes and records so far, and the result as it grows."""

    def __init__(
        self,
        job: RangeJob,
        tables: dict[str, int],
        redactable: dict[str, tuple[str, ...]],
        secret: bytes,
    ) -> None:
        self.job = job
        self.secret = secret
        self.redactable = redactable
        self.result = RangeResult(log_id=job.log_id, start=job.start, end=job.end)
        self.next_index = job.start
        self.chain: bytes | None = None
        self.latest = job.latest
        self.leaf_hashes: list[bytes] = []  # up to the first leaf that is missing
        self.spilled: list[Records] = []
        # index, entry, table, column, commitment
        self.committed: list[tuple[int, int, str, str, str, str]] = []
        self._tables = tables

    def number(self, table: str) -> int:
        """Return the number of a table; of one that is not controlled, a number made of its name."""
        known = self._tables.get(table)
        if known is None:
            known = spill.uncontrolled(table)
            if len(self.result.tables) < 1000:  # planted entries may name any number of tables
                self.result.tables[known] = table
        return known

    def begin(self, index: int, entry_id: int | None, previous: bytes | None) -> None:
        """Note the first leaf that is there."""
        if self.result.first is None:
            self.result.first = index, entry_id or 0, previous or b""

    def take(self, found: Stretch, head: bytes, moments: Times, records: Records) -> None:
        """Take over a stretch of leaves that are all in order."""
        result = self.result
        self.begin(
            self.next_index, int(np.frombuffer(found.entry_ids[:8], ">i8")[0]), found.previous[:32]
        )
        result.leaves += found.leaves
        result.entries += found.entries
        result.projections += found.projections
        self.next_index += found.leaves
        self.chain = head
        self.placed(found.leaf_hashes)
        self.spilled.append(records)
        self.passed(int(moments.min()))
        self.passed(int(moments.max()))

    def placed(self, leaf_hashes: bytes) -> None:
        """Note leaf hashes in their order."""
        if self.result.is_whole:
            self.leaf_hashes.append(leaf_hashes)

    def passed(self, moment: int) -> None:
        """Note the time of an entry."""
        result = self.result
        result.earliest = moment if result.earliest is None else min(result.earliest, moment)
        result.latest = moment if result.latest is None else max(result.latest, moment)
        self.latest = moment if self.latest is None else max(self.latest, moment)

    def add(self, verdict: Any, message: str, **place: Any) -> None:
        self.result.findings.add(verdict, message, **place)
