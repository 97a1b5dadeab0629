"""Join the ranges of one log: chain, tree, stored end and nodes, checkpoints, times."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from compliance.trail.findings import Findings, Verdict
from compliance.trail.tlog import leaf, merkle
from compliance.trail.verifying import exact, pyramid, times, work
from compliance.trail.verifying.marks import Mark
from compliance.trail.verifying.work import Misplaced, RangeJob, RangeResult

EXCHANGED = 1000  # leaves that are held against each other


@dataclass(frozen=True, kw_only=True)
class StoredEnd:
    """What the database says about the end of a log; a null where something else was planted."""

    size: int | None
    root: bytes | None
    chain: bytes | None
    range: tuple[bytes | None, ...] | None


class Joined:
    """What is known of a log after some of its ranges, in order."""

    def __init__(self, origin: str, findings: Findings) -> None:
        self.findings = findings
        self.chain: bytes | None = leaf.chain_start(origin)
        self.end = 0  # one more than the index of the last leaf
        self.leaves = 0
        self.entries = 0
        self.projections = 0
        self.nodes = 0
        self.is_whole = True
        self.roots: dict[int, bytes] = {}
        self.hashes: tuple[bytes, ...] = ()
        self._origin = origin
        self._tree = merkle.CompactRange()  # of whole ranges
        self.upper: list[merkle.Node] = []
        self.latest: int | None = None
        self.mark: tuple[int, bytes | None, tuple[bytes, ...], int | None] = (
            0,
            self.chain,
            (),
            None,
        )
        self.since = 0  # the leaves before were verified by an earlier run

    def begin(self, mark: Mark) -> None:
        """Begin where an earlier run ended."""
        self.end = self.leaves = self.entries = self.projections = self.since = mark.boundary
        self.chain, self.hashes, self.latest = mark.chain, mark.hashes, mark.latest
        self._tree = merkle.CompactRange(mark.boundary // work.RANGE, mark.hashes)
        self.mark = (mark.boundary, mark.chain, mark.hashes, mark.latest)

    @property
    def root(self) -> bytes:
        return pyramid.fold(list(self.hashes))

    def add(self, result: RangeResult) -> None:
        """Continue with the next range."""
        self.findings.merge(result.findings)
        self.leaves += result.leaves
        self.entries += result.entries
        self.projections += result.projections
        self.nodes += result.nodes
        self._continue(result)
        if result.latest is not None:
            self.latest = result.latest if self.latest is None else max(self.latest, result.latest)
        self.end, self.chain = result.end, result.chain
        if not self.is_whole:
            return
        before = list(self._tree.hashes)
        self.roots |= {size: _root(before, fold) for size, fold in result.folds.items()}
        self.is_whole = result.is_whole
        if not self.is_whole:
            return
        self.hashes = (*before, *result.hashes)
        if result.end - result.start == work.RANGE:
            (whole,) = result.hashes
            self.upper += [
                (level + top(), place, node)
                for level, place, node in self._tree.append(whole)
                if (level + top()) % 8 == 0
            ]
            self.hashes = self._tree.hashes
            self.mark = (self.end, self.chain, self.hashes, self.latest)

    def _continue(self, result: RangeResult) -> None:
        if result.start != self.end:
            self.findings.add(
                Verdict.MISSING, f"the log goes on at leaf {result.start}", index=self.end
            )
            self.is_whole = False
            return
        if result.first is None or self.chain is None:
            return
        index, entry_id, previous = result.first
        if index == result.start and previous != self.chain:
            self.findings.add(
                Verdict.TAMPERED,
                "the chain is broken between this leaf and the one before it",
                index=index,
                entry_id=entry_id,
            )

    def compare_end(self, stored: StoredEnd) -> None:
        """Compare what the database says about the end of the log with what its leaves give."""
        if not self.is_whole:
            return
        computed = (self.leaves, self.root, self.chain, self.hashes)
        if computed != (stored.size, stored.root, stored.chain, stored.range):
            self.findings.add(
                Verdict.TAMPERED,
                f"the stored end of the log ({stored.size} leaves) is not the one of its "
                f"{self.leaves} leaves",
                index=self.leaves if stored.size != self.leaves else None,
            )

    def compare_upper(self, stored: Iterable[tuple[int, int, bytes | None]]) -> None:
        """Compare the stored roots of subtrees that are larger than a range."""
        if not self.is_whole:
            return
        found = {one for one in stored if (one[1] + 1) << one[0] > self.since}
        wrong = found ^ set(self.upper)
        for level, position in sorted({(level, position) for level, position, _ in wrong}):
            self.findings.add(
                Verdict.TAMPERED, exact.wrong_node(level, position), index=position << level
            )

    def settle(self, results: Sequence[RangeResult]) -> None:
        """Name the leaves that do not fit their entries: exchanged with another, or altered."""
        misplaced = [one for result in results for one in result.misplaced]
        for number, one in enumerate(misplaced):
            others = misplaced[:EXCHANGED] if number < EXCHANGED else []
            other = next((two for two in others if self._fits(one, two)), None)
            verdict, message = Verdict.TAMPERED, "the entry is not the one that was sealed here"
            if other is not None:
                verdict = Verdict.REORDERED
                message = f"sealed here was the entry that now stands at leaf {other.index}"
            self.findings.add(
                verdict, message, index=one.index, entry_id=one.entry_id, record=one.record
            )

    def _fits(self, one: Misplaced, two: Misplaced) -> bool:
        computed = exact.leaf_of(self._origin, one.index, two.digest, one.previous)
        return computed == one.leaf_hash


def top() -> int:
    """Return the level of the subtree over a whole range."""
    return work.RANGE.bit_length() - 1


def late(jobs: Sequence[RangeJob], results: Sequence[RangeResult]) -> list[tuple[int, int]]:
    """Return which ranges have times long before earlier ranges, each with the latest before it."""
    found, latest = [], None
    for number, (_, result) in enumerate(zip(jobs, results, strict=True)):
        if (
            latest is not None
            and result.earliest is not None
            and result.earliest < latest - times.LONGEST
        ):
            found.append((number, latest))
        if result.latest is not None:
            latest = result.latest if latest is None else max(latest, result.latest)
    return found


def _root(before: list[bytes], fold: bytes) -> bytes:
    return pyramid.fold([*before, fold])
