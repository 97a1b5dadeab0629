"""Verify entries that have no leaf yet."""

from datetime import UTC, datetime, timedelta

from compliance.trail.findings import Verdict
from compliance.trail.tlog import leaf
from compliance.trail.verified_log import VerifiedLog
from compliance.trail.verifying import exact, spill, times
from compliance.trail.verifying.source import LARGEST, Source
from compliance.trail.verifying.state import RangeState
from compliance.trail.verifying.work import RANGE, Plan, RangeJob

OVERDUE = timedelta(seconds=60)
_UNSEALED = f"""
SELECT e.entry_id, CASE WHEN octet_length(e.body) <= {LARGEST} THEN e.body END, e.digest
FROM audit.entry e
WHERE e.log_id = %s AND e.entry_id > %s AND e.entry_id <= %s AND NOT EXISTS (
    SELECT FROM audit.leaf l WHERE l.log_id = e.log_id AND l.entry_id = e.entry_id)
ORDER BY e.entry_id LIMIT 2000
"""  # noqa: S608 -- a number of ours


class Unsealed:
    """Entries of one log that have no leaf, as they are read."""

    def __init__(self, plan: Plan, source: Source, log: VerifiedLog, now: datetime) -> None:
        self.count = 0
        self.overdue = 0
        self._plan = plan
        self._source = source
        self._log = log
        self._now = times.since_epoch(now.astimezone(UTC))
        self._files = 0
        self._state = self._begin()

    def _begin(self) -> RangeState:
        names = {table.name: number for number, table in enumerate(self._plan.tables)}
        redactable = {table.name: table.redactable for table in self._plan.tables}
        log = self._log.log
        job = RangeJob(
            log_id=log.log_id, origin=log.origin, start=0, end=0, projected=0, is_since=True
        )
        return RangeState(job, names, redactable, self._plan.secret)

    def check(self, after: int, up_to: int, *, is_passed: bool = False) -> None:
        """Verify what can be verified of the unsealed entries with these ids.

        `is_passed`: the sequencer has said that everything there is sealed.
        """
        last: int = after
        while rows := self._source.fetch(_UNSEALED, [self._log.log.log_id, last, up_to]):
            for entry_id, body, digest in rows:
                self._check(entry_id, body, digest, is_passed=is_passed)
            last = rows[-1][0]
            if len(self._state.spilled) >= RANGE:
                self.finish()
        self.finish()

    def _check(
        self, entry_id: int, body: bytes | None, digest: bytes | None, *, is_passed: bool
    ) -> None:
        self.count += 1
        state = self._state
        if is_passed:
            message = "every entry up to here was sealed, and this one has no leaf"
            state.add(Verdict.TAMPERED, message, entry_id=entry_id)
        if body is None or leaf.entry_digest(body) != digest:
            message = "the stored digest is not that of the stored body (not sealed yet)"
            state.add(Verdict.TAMPERED, message, entry_id=entry_id)
        members = None
        if body is not None:
            members = exact.read(state, body, index=None, entry_id=entry_id)
        if members is None:
            return
        at = times.parse(members["at"])
        self.overdue += (
            at is not None and self._now - times.since_epoch(at) > OVERDUE.total_seconds() * 1e6
        )
        known = (
            digest if digest is not None and len(digest) == 32 else leaf.entry_digest(body or b"")
        )
        exact.keep(state, members, known, order=spill.UNSEALED + entry_id)

    def finish(self) -> None:
        """Write the records so far."""
        name = f"unsealed{self._log.log.log_id}-{self._files:06}.records"
        spill.write(self._plan.folder / name, self._state.spilled)
        self._log.findings.merge(self._state.result.findings)
        if self._log.joined.since:
            self._log.touched |= self._state.result.touched
        self._files += 1
        self._state = self._begin()

    def note(self) -> None:
        """Say so when they wait too long."""
        if self.overdue:
            self._log.findings.notes.append(
                f"{self.overdue} of {self.count} unsealed entries are older than "
                f"{OVERDUE.seconds} s: is the sequencer running?"
            )
