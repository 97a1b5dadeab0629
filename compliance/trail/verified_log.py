"""Verify one log of the database with a pool of workers: plan its ranges, join what they find."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from django.db.backends.utils import CursorWrapper

from compliance.trail.findings import Findings, Verdict
from compliance.trail.tlog import canonical, merkle
from compliance.trail.verified_checkpoints import Checkpoints, NotAssessable
from compliance.trail.verified_state import Run
from compliance.trail.verifying import joined, work
from compliance.trail.verifying.joined import Joined, StoredEnd
from compliance.trail.verifying.marks import Mark
from compliance.trail.verifying.pool import Pool
from compliance.trail.verifying.work import RangeJob, RangeResult

LISTED = 1000
Done = Callable[[RangeResult], None]


@dataclass(frozen=True, kw_only=True)
class Stored:
    """What the database says of a log, whatever was planted there."""

    log_id: int
    origin: str
    end: StoredEnd
    scan_from: int
    projected: int


def stored(cursor: CursorWrapper, findings: Findings, only: int | None = None) -> Iterator[Stored]:
    """Yield every log that the database has; name the one whose state is gone."""
    cursor.execute(
        "SELECT l.log_id, l.origin, s.log_id IS NOT NULL, s.size, s.root, s.chain, s.range, "
        "coalesce(s.scan_from, 0), coalesce(p.size, 0) FROM audit.log l "
        "LEFT JOIN audit.log_state s USING (log_id) LEFT JOIN audit.projected p USING (log_id) "
        "WHERE %(only)s::int IS NULL OR l.log_id = %(only)s ORDER BY l.log_id",
        {"only": only},
    )
    rows = cursor.fetchall()
    if not rows:
        raise NotAssessable("there is no such log in this database")
    for log_id, origin, has_state, size, root, chain, hashes, scan_from, projected in rows:
        if not origin:
            raise NotAssessable(f"log {log_id} has no origin")
        if not has_state:
            findings.add(Verdict.MISSING, f"the state of log {log_id} is not there any more")
        yield Stored(
            log_id=log_id,
            origin=origin,
            end=StoredEnd(
                size=size,
                root=_bytes(root),
                chain=_bytes(chain),
                range=None if hashes is None else tuple(map(_bytes, hashes)),
            ),
            scan_from=scan_from,
            projected=projected,
        )


class VerifiedLog:
    """One log on its way from planned ranges to what they give together."""

    def __init__(self, log: Stored, checkpoints: Checkpoints, findings: Findings) -> None:
        self.log = log
        self.checkpoints = checkpoints
        self.findings = findings
        self.jobs: list[RangeJob] = []
        self.results: list[RangeResult] = []
        self.joined = Joined(log.origin, findings)
        self.touched: set[tuple[str, str]] = set()
        self._mark: Mark | None = None

    def begin(self, mark: Mark) -> None:
        """Begin where an earlier run found everything intact."""
        if self.log.projected < mark.boundary:
            raise NotAssessable("search lags behind the last verification: verify everything")
        self._mark = mark
        self.joined.begin(mark)
        self.checkpoints.begin(mark.boundary)

    @property
    def mark(self) -> Mark | None:
        """Where the next run may begin."""
        boundary, chain, hashes, latest = self.joined.mark
        if chain is None or not self.joined.is_whole:
            return None
        return Mark(
            boundary=boundary, chain=chain, hashes=hashes, latest=latest, size=self.joined.leaves,
            root=self.joined.root,
        )  # fmt: skip

    @property
    def planned(self) -> int:
        return sum(job.end - job.start for job in self.jobs)

    def plan(self, cursor: CursorWrapper) -> None:
        """Cut the leaves that are there into ranges."""
        self._name_impossible(cursor)
        cursor.execute(
            "SELECT max(idx) FROM audit.leaf WHERE log_id = %s AND idx <= %s",
            [self.log.log_id, canonical.MAX_INTEGER],
        )
        (last,) = cursor.fetchone()
        place = self.joined.since
        while last is not None and place <= last:
            cursor.execute(
                "SELECT min(idx) FROM audit.leaf WHERE log_id = %s AND idx >= %s",
                [self.log.log_id, place],
            )
            (first,) = cursor.fetchone()
            start = first // work.RANGE * work.RANGE
            place = start + work.RANGE
            self.jobs.append(self._job(start, min(place, last + 1)))

    def _job(self, start: int, end: int) -> RangeJob:
        signed = [one for one in self.checkpoints.signed if one[0] > start]
        within = sum(size <= end for size, _ in signed)
        return RangeJob(
            log_id=self.log.log_id,
            origin=self.log.origin,
            start=start,
            end=end,
            projected=self.log.projected,
            sizes=tuple(sorted(size for size in self._sizes() if start < size <= end)),
            latest=None if self._mark is None else self._mark.latest,
            is_since=self._mark is not None,
            signed=tuple(signed[: within + 1]),
        )

    def _sizes(self) -> set[int]:
        known = {self._mark.size} if self._mark else set()
        return known | set(self.checkpoints.sizes)

    def _compare_mark(self) -> None:
        """Compare the root of the size that the earlier run saw."""
        mark = self._mark
        if mark is None or mark.size == mark.boundary:
            return
        if self.joined.roots.get(mark.size) != mark.root:
            self.findings.add(
                Verdict.FORK,
                f"the log does not continue the {mark.size} leaves that were verified before",
                index=mark.boundary,
            )

    def _name_impossible(self, cursor: CursorWrapper) -> None:
        cursor.execute(
            "SELECT idx, entry_id FROM audit.leaf WHERE log_id = %s AND (idx < 0 OR idx > %s) "
            "ORDER BY idx LIMIT %s",
            [self.log.log_id, canonical.MAX_INTEGER, LISTED],
        )
        for index, entry_id in cursor.fetchall():
            self.findings.add(
                Verdict.TAMPERED, "no leaf can have this index", index=index, entry_id=entry_id
            )

    def run(self, pool: Pool, kept: dict[RangeJob, RangeResult], run: Run, done: Done) -> None:
        """Verify the ranges; those that are kept from an interrupted run are not read again."""
        todo = [job for job in self.jobs if job not in kept]
        fresh: dict[Any, RangeResult] = dict(kept)
        for job, result in zip(todo, _ranges(pool, todo), strict=True):
            fresh[job] = result
            run.keep(job, result)
            done(result)
        self.results = [fresh[job] for job in self.jobs]
        late = joined.late(self.jobs, self.results)
        again = [replace(self.jobs[number], latest=latest) for number, latest in late]
        for (number, _), result in zip(late, _ranges(pool, again), strict=True):
            self.results[number] = result

    def join(self, cursor: CursorWrapper) -> None:
        """Compare the ranges with each other, with the stored end, nodes and checkpoints."""
        for result in self.results:
            self.joined.add(result)
            self.touched |= result.touched
        self._compare_mark()
        self.joined.settle(self.results)
        self.joined.compare_end(self.log.end)
        self._compare_nodes(cursor)
        roots = {0: merkle.EMPTY_ROOT} | self.joined.roots
        for size in self.checkpoints.sizes:
            if size in roots:
                self.checkpoints.compare(size, roots[size])
        times = [one.earliest for one in self.results if one.earliest is not None]
        self.checkpoints.finish(self.joined.end, min(times, default=None))
        self._compare_search(cursor)

    def _compare_search(self, cursor: CursorWrapper) -> None:
        """Name entries that search shows twice: projected, and as not projected yet."""
        cursor.execute(
            "SELECT l.idx, l.entry_id FROM audit.leaf l JOIN audit.projection p USING (entry_id) "
            "WHERE l.log_id = %s AND l.idx >= %s ORDER BY l.idx LIMIT %s",
            [self.log.log_id, self.log.projected, LISTED],
        )
        for index, entry_id in cursor.fetchall():
            self.findings.add(
                Verdict.PROJECTION_MISMATCH, "search shows the entry twice", index=index,
                entry_id=entry_id,
            )  # fmt: skip

    def _compare_nodes(self, cursor: CursorWrapper) -> None:
        log_id, end = self.log.log_id, self.joined.end
        cursor.execute(
            "SELECT level, pos, h FROM audit.node WHERE log_id = %s AND level > %s "
            "ORDER BY level, pos LIMIT %s",
            [log_id, joined.top(), len(self.joined.upper) + LISTED],
        )
        self.joined.compare_upper([(level, pos, _bytes(h)) for level, pos, h in cursor.fetchall()])
        cursor.execute(
            "SELECT level, pos FROM audit.node WHERE log_id = %s AND level <= %s AND "
            "(level <= 0 OR level %% 8 <> 0 OR pos < 0 OR pos >= %s >> level::int) LIMIT %s",
            [log_id, joined.top(), end, LISTED],
        )
        for level, position in cursor.fetchall():
            self.findings.add(
                Verdict.TAMPERED,
                f"a subtree root is stored at level {level}, position {position}, where none can be",
            )


def _ranges(pool: Pool, jobs: Iterable[RangeJob]) -> Iterator[RangeResult]:
    for result in pool.results(jobs):
        if isinstance(result, RangeResult):
            yield result


def _bytes(value: Any) -> bytes | None:
    return None if value is None else bytes(value)
