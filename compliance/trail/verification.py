"""Verify the whole trail from what is stored, in one snapshot; name everything that is wrong."""

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from compliance.trail import (
    bulk_seals,
    enforcement,
    rehashing,
    verified_archives,
    verified_attestations,
    verified_documents,
    verified_log,
    verified_origins,
    verified_redactions,
    verified_seals,
    verified_state,
    verified_strays,
    verified_tables,
    weakened,
)
from compliance.trail.findings import Fault, Findings, Verdict
from compliance.trail.tlog import merkle
from compliance.trail.verified_checkpoints import Checkpoints, NotAssessable
from compliance.trail.verified_log import VerifiedLog
from compliance.trail.verified_origins import Outside
from compliance.trail.verified_state import Run
from compliance.trail.verified_strays import Verified
from compliance.trail.verified_unsealed import Unsealed
from compliance.trail.verifier.documents import Documents
from compliance.trail.verifying import marks, pool, spill, work
from compliance.trail.verifying.marks import Mark
from compliance.trail.verifying.pool import Pool
from compliance.trail.verifying.source import Source
from compliance.trail.verifying.work import (
    BucketJob,
    BucketResult,
    LiveJob,
    LiveResult,
    Plan,
    RangeResult,
    TouchedJob,
)

Progress = Callable[[int, int], None]
_EVERY_ID = 1 << 62


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
    records: int = 0
    rows: int = 0
    redacted: int = 0
    seconds: float = 0

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
        first = next(iter(entries or self.faults), None)
        if first is None or first.entry_id is not None or first.record is None:
            return first
        # Rows are looked at in an order that is drawn anew for every run.
        return min((one for one in self.faults if one.record), key=lambda one: str(one.record))


def verify(
    progress: Progress | None = None,
    *,
    log_id: int | None = None,
    processes: int | None = None,
    resume: bool = False,
    since_last: bool = False,
) -> Report:
    """Verify everything, or one log; nothing stops at the first fault.

    `resume` goes on where a run ended that was killed. `since_last` begins where the log ended
    when it was intact last, and looks at the rows of the records that were touched since. Raise
    `NotAssessable` when there is no log, or no key for its checkpoints; `WorkerFailed` when a
    process of the verification ends.
    """
    # Before the snapshot: what is published later is not in it, and would look cut off.
    outside = verified_origins.outside()
    folder = Path(settings.VAR_DIR) / "verify"
    with (
        _snapshot() as own,
        own.cursor() as cursor,
        verified_state.opened(folder, resume=resume) as run,
    ):
        whole = _Verification(own, cursor, run, only=log_id)
        whole.plan(outside, marks.kept(folder) if since_last else {})
        with pool.opened(whole.shared, processes or whole.processes) as workers:
            whole.run(workers, progress)
            for problem in (*enforcement.problems(cursor), *weakened.problems(cursor)):
                whole.findings.add(Verdict.DISABLED, problem)
            if not since_last:
                for one in bulk_seals.broken(cursor):
                    whole.findings.add(Verdict.TAMPERED, one.message, record=one.record)
    report = whole.report()
    if report.is_intact and log_id is None:
        try:
            marks.keep(folder, whole.marks)
        except OSError as error:  # a full disk takes no verdict back
            note = f"the next verification cannot begin here: {error}"
            report = replace(report, notes=(*report.notes, note))
    return report


@contextmanager
def _snapshot() -> Iterator[BaseDatabaseWrapper]:
    """Open a connection of its own, as the application, that sees one moment and only reads."""
    own = connections[DEFAULT_DB_ALIAS].copy()
    try:
        own.set_autocommit(False)
        with own.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            # Whoever owns the database says where its sessions look first; this one does not ask.
            cursor.execute("SET LOCAL search_path = pg_catalog, public, pg_temp")
            cursor.execute("SELECT to_regclass('audit.log_state') IS NULL")
            if cursor.fetchone() == (True,):
                raise NotAssessable("there is no log in this database: run `manage.py migrate`")
        yield own
    finally:
        own.close()


class _Verification:
    """The parts of one verification, and what they gave."""

    def __init__(
        self, own: BaseDatabaseWrapper, cursor: CursorWrapper, run: Run, *, only: int | None
    ) -> None:
        self.findings = Findings()
        self._began = time.monotonic()
        self._cursor = cursor
        self._run = run
        self._only = only
        cursor.execute("SELECT pg_export_snapshot(), now()")
        snapshot, self._now = cursor.fetchone()
        tables = verified_tables.tables(cursor)
        self.shared = Plan(
            connection=_parameters(own),
            snapshot=snapshot,
            secret=run.secret,
            folder=run.folder,
            tables=tables,
            dropped=verified_tables.told_of(cursor, tables, "dropped column"),
            renamed=verified_tables.told_of(cursor, tables, "table column"),
            archives=verified_archives.archives(cursor),
            detached=verified_archives.detached(cursor),
            partition=verified_archives.width(cursor),
        )
        self._logs: list[VerifiedLog] = []
        self._live: list[LiveJob] = []
        self._since: dict[int, int] = {}
        self._unsealed: list[Unsealed] = []
        self._records = self._rows = self._redacted = 0

    def plan(self, outside: Outside, marks: Mapping[str, Mark]) -> None:
        """Read what there is to do; logs with a mark from an earlier run begin there."""
        verified_origins.check(self._cursor, outside, self.findings)
        for log in verified_log.stored(self._cursor, self.findings, self._only):
            checkpoints = Checkpoints(log_id=log.log_id, origin=log.origin, findings=self.findings)
            known = settings.LOG_ORIGIN if log.log_id == settings.LOG_ID else log.origin
            checkpoints.collect(self._cursor, outside.get(known, ()))
            found = VerifiedLog(log, checkpoints, self.findings)
            if mark := marks.get(log.origin):
                found.begin(mark)
            verified_attestations.check(
                self._cursor,
                log_id=log.log_id,
                since=mark.boundary if mark else 0,
                findings=self.findings,
            )
            found.plan(self._cursor)
            self._logs.append(found)
        if any(log.joined.since for log in self._logs):
            self._since = {log.log.log_id: log.joined.since for log in self._logs}
            self.findings.notes += [
                f"log {log_id}: only leaves from {start} on, and the rows of the records that they "
                "touch, were verified; before that stands what an earlier verification found"
                for log_id, start in self._since.items()
            ]
        else:
            self._live = list(verified_tables.jobs(self._cursor, self.shared.tables))

    @property
    def processes(self) -> int:
        """How many processes are worth their start: a small log is verified by this one."""
        leaves = sum(log.planned for log in self._logs)
        return 0 if leaves <= 2 * work.RANGE else os.cpu_count() or 1

    def run(self, workers: Pool, progress: Progress | None) -> None:
        """Do it."""
        total, done = sum(log.planned for log in self._logs), 0

        def finished(result: RangeResult) -> None:
            nonlocal done
            done += result.end - result.start
            if progress:
                progress(done, total)

        for log in self._logs:
            self._verify_log(log, workers, finished)
        self._check_unsealed(workers)
        self._rows = sum(
            one.rows for one in workers.results(self._rows_to_read()) if isinstance(one, LiveResult)
        )
        results = [result for log in self._logs for result in log.results]
        documents = verified_documents.read(results, self.findings)
        sealed = self._follow_records(workers, () if self._since else verified_seals.of(documents))
        self._check_seals(documents, sealed)
        verified_documents.check(self._cursor, self.findings)
        verified_origins.check_continued(self._cursor, documents, self.findings)
        if not self._since:
            for log in self._logs:
                for one in rehashing.check(log_id=log.log.log_id):
                    self.findings.add(one.verdict, one.message, index=one.index)
        verified_attestations.check_told(self._cursor, documents, self.findings)
        redacted = verified_redactions.check(self._cursor, results, documents, self.findings)
        self._redacted = len(redacted)
        if not self._since:
            verified_tables.check_redactable(
                self._cursor, self.shared.tables, redacted, self.findings
            )

    @property
    def marks(self) -> dict[str, Mark]:
        """Where the next run may begin in each log."""
        found = {log.log.origin: log.mark for log in self._logs}
        return {origin: mark for origin, mark in found.items() if mark is not None}

    def _rows_to_read(self) -> Sequence[LiveJob | TouchedJob]:
        if not self._since:
            return self._live
        touched = {one for log in self._logs for one in log.touched}
        return list(verified_tables.touched(sorted(touched), self.shared.tables))

    def _verify_log(
        self, log: VerifiedLog, workers: Pool, finished: Callable[[RangeResult], None]
    ) -> None:
        kept = self._run.kept(log.jobs)
        if kept:
            self.findings.notes.append(
                f"{len(kept)} of {len(log.jobs)} ranges of log {log.log.log_id} were verified by "
                "the run that was interrupted"
            )
        log.run(workers, kept, self._run, finished)
        log.join(self._cursor)

    def _check_unsealed(self, workers: Pool) -> None:
        # Counting reads every page of the log, which is what an incremental run is to avoid.
        counts = None if self._since else verified_strays.counted(workers, self._only)
        source = Source(self.shared)
        try:
            for log in self._logs:
                one = Unsealed(self.shared, source, log, self._now)
                one.check(log.log.scan_from, _EVERY_ID)
                self._unsealed.append(one)
            if counts and counts["entries"] != self._verified().entries:
                for one, log in zip(self._unsealed, self._logs, strict=True):
                    one.check(-_EVERY_ID, log.log.scan_from, is_passed=True)
            for one in self._unsealed:
                one.note()
            if counts:
                verified_strays.check(source, counts, self._verified(), self.findings)
        finally:
            source.close()

    def _verified(self) -> Verified:
        return Verified(
            leaves=sum(log.joined.leaves for log in self._logs),
            entries=sum(log.joined.entries for log in self._logs)
            + sum(one.count for one in self._unsealed),
            projections=sum(log.joined.projections for log in self._logs),
        )

    def _check_seals(
        self, documents: Mapping[int, Documents], sealed: Counter[tuple[int, int]]
    ) -> None:
        found = {log.log.log_id: documents.get(log.log.log_id) for log in self._logs}
        if self._since and any(one and one.seals for one in found.values()):
            self.findings.notes.append("seals of heads are computed again by a full verification")
        elif self.findings.counts:  # they follow from entries and search columns that are right
            self.findings.notes.append("seals of heads were not computed again, for what was found")
        else:
            for log_id, one in found.items():
                if one is not None:
                    verified_seals.check(self._cursor, log_id, one, sealed, self.findings)

    def _follow_records(
        self, workers: Pool, seals: tuple[tuple[int, int], ...]
    ) -> Counter[tuple[int, int]]:
        """Follow every record to its row; count those that each seal has to be of."""
        sealed: Counter[tuple[int, int]] = Counter()
        archived = sum(result.archived for log in self._logs for result in log.results)
        if archived:
            self.findings.notes.append(f"{archived} entries were read from archive files")
        spans = spill.spans(self._verified().entries + archived + self._rows)
        jobs = [
            BucketJob(
                first=first,
                last=last,
                is_partial=self._only is not None,
                since=self._since,
                seals=seals,
            )
            for first, last in spans
        ]
        names = {n: t for log in self._logs for one in log.results for n, t in one.tables.items()}
        uncontrolled: set[int] = set()
        went: dict[str, tuple[set[str], int]] = {}
        for result in workers.results(jobs):
            if not isinstance(result, BucketResult):
                continue
            self._records += result.records
            sealed += result.sealed
            self.findings.merge(result.findings)
            uncontrolled |= result.uncontrolled
            for table, (columns, count) in result.came_or_went.items():
                known, before = went.get(table, (set(), 0))
                went[table] = known | columns, before + count
        for table in sorted(names.get(one, f"table {one:x}") for one in uncontrolled):
            self.findings.notes.append(f"{table} has entries and is not controlled any more")
        for table, (columns, count) in sorted(went.items()):
            self.findings.notes.append(
                f"{table}: {', '.join(sorted(columns))} came or went with a migration after the "
                f"last entry of some records ({count} looked at)"
            )
        return sealed

    def report(self) -> Report:
        own = next((log for log in self._logs if log.log.log_id == settings.LOG_ID), None)
        log = own or self._logs[0]
        verified = self._verified()
        return Report(
            entries=verified.entries,
            leaves=verified.leaves,
            checkpoints=sum(log.checkpoints.count for log in self._logs),
            unsealed=sum(one.count for one in self._unsealed),
            root=log.joined.root if log.joined.leaves else merkle.EMPTY_ROOT,
            faults=self.findings.all,
            counts=self.findings.counts,
            notes=tuple(self.findings.notes),
            records=self._records,
            rows=self._rows,
            redacted=self._redacted,
            seconds=time.monotonic() - self._began,
        )


def _parameters(own: BaseDatabaseWrapper) -> dict[str, Any]:
    """Return how to connect, without what only Django's own connections have."""
    parameters: dict[str, Any] = own.get_connection_params()
    for name in ("context", "cursor_factory", "prepare_threshold"):
        parameters.pop(name, None)
    return parameters
