"""Verify one range of leaves with their entries: all in order at once, else row by row."""

from hashlib import sha256

import msgspec
import numpy as np

from compliance.trail.tlog import leaf
from compliance.trail.verifying import commitments, exact, quick, source, spill, times, work
from compliance.trail.verifying.pyramid import Pyramid
from compliance.trail.verifying.quick import Body
from compliance.trail.verifying.source import Source, Stretch
from compliance.trail.verifying.spill import Records
from compliance.trail.verifying.state import RangeState
from compliance.trail.verifying.times import Clock
from compliance.trail.verifying.work import Plan, RangeJob, RangeResult

_POSTGRES_EPOCH = 946_684_800_000_000  # 2000-01-01 in microseconds since 1970
_FLAGS = {"insert": spill.INSERT, "update": spill.UPDATE, "delete": spill.DELETE}


class Ranges:
    """Verifies range after range for one process."""

    def __init__(self, plan: Plan, source: Source) -> None:
        self._plan = plan
        self._source = source
        self._readers: dict[str, quick.Reader] = {}
        self._clock = Clock()
        self._tables = {table.name: number for number, table in enumerate(plan.tables)}
        self._redactable = {t.name: t.redactable for t in plan.tables if t.redactable}

    def verify(self, job: RangeJob) -> RangeResult:
        """Verify a range and keep a record of each entry in the plan's folder."""
        state = RangeState(job, self._tables, self._redactable, self._plan.secret)
        for start in range(job.start, job.end, work.CHUNK):
            end = min(start + work.CHUNK, job.end)
            stretch = self._source.stretch(job.log_id, start, end)
            if stretch is None or not self._accept(state, stretch, start, end):
                exact.check(self._source, state, start, end)
        commitments.check(self._source, state)
        self._join(state)
        name = f"log{job.log_id}-{job.start:015}.records"
        spill.write(self._plan.folder / name, state.spilled)
        return state.result

    def _accept(self, state: RangeState, found: Stretch, start: int, end: int) -> bool:
        """Take over a stretch in which everything is in order; else say no, having done nothing."""
        job, count = state.job, end - start
        projected = min(count, max(0, job.projected - start))
        if (
            (found.leaves, found.entries, found.bodies) != (count, count, count)
            or found.projections != projected
            or not found.is_sized
            or found.indices != np.arange(start, end, dtype=">i8").tobytes()
        ):
            return False
        lines = found.lines.split(b"\n")
        reader = self._readers.setdefault(job.origin, quick.Reader(job.origin))
        read = reader.read(found.lines, count) if len(lines) == count else None
        if read is None:
            return False
        bodies, acts = read
        tag = leaf.ENTRY_TAG
        digests = [sha256(tag + line).digest() for line in lines]
        if b"".join(digests) != found.digests:
            return False
        head = _chained(state, found, digests, start)
        moments = self._clock.read([body.at for body in bodies])
        if (
            head is None
            or moments is None
            or not times.bracket(moments, first=start, latest=state.latest, signed=job.signed)
            or not _is_projection(found, bodies, acts, moments)
        ):
            return False
        records = self._records(state, found, bodies, lines, start)
        if records is None:
            return False
        # A body, its act, its new and old values: what has more braces may have a commitment. One
        # byte is found many times as fast as a text is.
        has_more = found.lines.count(b"{") > 4 * count
        if has_more or "trail_logevent" in {body.record for body in bodies}:
            for index, entry_id, body in zip(
                range(start, end), np.frombuffer(found.entry_ids, ">i8").tolist(), bodies,
                strict=True,
            ):  # fmt: skip
                members: dict[str, object] = {
                    "record": body.record, "record_id": body.record_id, "op": body.op,
                    "new": msgspec.to_builtins(body.new),
                }  # fmt: skip
                commitments.collect(state, index, entry_id, members)
        if job.is_since:
            state.result.touched |= {(body.record, body.record_id) for body in bodies}
        state.take(found, head, moments, records)
        return True

    def _records(
        self, state: RangeState, found: Stretch, bodies: list[Body], lines: list[bytes], start: int
    ) -> Records | None:
        count = len(bodies)
        prevs = [body.prev for body in bodies]
        afters = [body.after for body in bodies]
        prev = quick.digests([one for one in prevs if one is not None])
        after = quick.digests([one for one in afters if one is not None])
        if prev is None or after is None:
            return None
        records = np.zeros(count, spill.RECORD)
        key, secret = spill.key, self._plan.secret
        joined = b"".join([key(secret, body.record, body.record_id) for body in bodies])
        records["key"] = spill.halves(joined, 64)
        records["order"] = np.arange(start, start + count)
        records["seq"] = [body.record_seq for body in bodies]
        records["digest"] = spill.halves(found.digests, 32)
        has_prev = np.array([one is not None for one in prevs])
        records["prev"][has_prev] = spill.halves(prev, 32)
        records["after"][np.array([one is not None for one in afters])] = spill.halves(after, 32)
        flags = np.array([_FLAGS[body.op] for body in bodies], np.uint16)
        first = np.flatnonzero(flags == spill.INSERT)
        if any(bodies[at].old or bodies[at].after is not None for at in first.tolist()):
            return None
        rows = [self._row(state, bodies[at], lines[at]) for at in first.tolist()]
        if rows:
            records["after"][first] = spill.halves(b"".join(rows), 32)
        records["flags"] = flags | np.where(has_prev, 0, spill.NO_PREV).astype(np.uint16)
        names = [body.record for body in bodies]
        numbers = {name: state.number(name) for name in set(names)}
        records["table"] = [numbers[name] for name in names]
        records["log"] = state.job.log_id
        return records

    def _row(self, state: RangeState, body: Body, line: bytes) -> bytes:
        """Return the digest of the row that an insertion made."""
        left_out = state.redactable.get(body.record)
        if left_out is None:
            return sha256(quick.new_of(line)).digest()
        return exact.row_digest(msgspec.to_builtins(body.new), left_out)

    def _join(self, state: RangeState) -> None:
        """Compute the subtrees of the range, and compare the stored ones."""
        job, result = state.job, state.result
        if result.is_whole and state.next_index != job.end:
            result.is_whole = False
        result.chain = state.chain if state.next_index == job.end else None
        leaf_hashes = b"".join(state.leaf_hashes)
        pyramid = Pyramid(leaf_hashes)
        placed = job.start + len(leaf_hashes) // 32
        result.folds = {n: pyramid.fold(n - job.start) for n in job.sizes if n <= placed}
        if result.is_whole:
            result.hashes = tuple(pyramid.hashes(job.end - job.start))
        for level in range(8, len(pyramid.levels), 8):
            exact.check_nodes(self._source, state, level, pyramid.levels[level])


def _chained(state: RangeState, found: Stretch, digests: list[bytes], start: int) -> bytes | None:
    """Return the chain head after the stretch, or nothing when a leaf is not the one it must be."""
    head = state.chain if state.result.leaves else found.previous[:32]
    if head is None or state.next_index != start:
        return None
    chain = leaf.Chain(origin=state.job.origin, size=start, head=head)
    hashes, heads = chain.extend(digests)
    if b"".join(hashes) != found.leaf_hashes or b"".join(heads) != found.previous:
        return None
    return chain.head


def _is_projection(
    found: Stretch, bodies: list[Body], acts: list[str], moments: times.Times
) -> bool:
    """Say whether the search columns are those of the entries, of as many as have them."""
    projected = found.projections
    if not projected:
        return True
    lines = found.lines
    if b"\\" in lines and (b"\\u001e" in lines or b"\\u001f" in lines):
        return False  # a text may pretend to be two
    shown = bodies[:projected]
    numbers = np.empty((projected, 2), ">i8")
    numbers[:, 0] = moments[:projected] - _POSTGRES_EPOCH
    numbers[:, 1] = [body.record_seq for body in shown]
    unit = source.UNIT
    texts = [
        f"{act}{unit}{body.op}{unit}{body.record}{unit}{body.record_id}"
        for body, act in zip(shown, acts, strict=False)
    ]
    return found.numbers == numbers.tobytes() and found.texts == source.RECORD.join(texts)
