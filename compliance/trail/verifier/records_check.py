"""Follow each record through its entries: numbers, links, and the values one after the other."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from compliance.trail.tlog import canonical, commitment
from compliance.trail.verifier.contents import Record, Subject
from compliance.trail.verifier.entries_check import Seen
from compliance.trail.verifier.findings import Problem, Verdict
from compliance.trail.verifier.openings_check import Opened

Walk = list[Seen]


def walks(seen: Iterable[Seen]) -> dict[Record, Walk]:
    """Return the readable entries of each record in the order of the log."""
    found: dict[Record, Walk] = defaultdict(list)
    for one in seen:
        if one.members is not None:
            found[one.members["record"], one.members["record_id"]].append(one)
    return found


def check(
    walked: Mapping[Record, Walk], subject: Subject, opened: Opened, *, continued_to: int
) -> Iterator[Problem]:
    """Yield what is missing of what is claimed; other problems go to their entries.

    `continued_to` is 0 unless the log continues another one. There a record goes on from an entry
    of the old log, and only a seal shows that none of this one is left out before: below this
    index its head counts them.
    """
    claimed = frozenset(subject.records)
    for record, walk in walked.items():
        follower = _Follower(
            record, opened, is_claimed=record in claimed, within=subject.range,
            continued_to=continued_to,
        )  # fmt: skip
        yield from follower.follow(walk)


class _Follower:
    """Walks one record; the state is what its columns hold as far as the entries say."""

    def __init__(
        self,
        record: Record,
        opened: Opened,
        *,
        is_claimed: bool,
        within: tuple[int, int] | None,
        continued_to: int,
    ) -> None:
        self._record = record
        self._is_claimed = is_claimed
        self._range = within
        self._opened = opened
        self._continued_to = continued_to
        self._state: dict[str, tuple[int, Any]] = {}  # column: where it was written, value

    def follow(self, walk: Walk) -> Iterator[Problem]:
        before: Seen | None = None
        for one in walk:
            missing = self._link(before, one)
            if missing:
                self._state.clear()
                if self._is_strict(before, one):
                    yield self._missing(missing, one)
            self._fold(one)
            before = one

    def _is_strict(self, before: Seen | None, one: Seen) -> bool:
        """Say whether nothing may be left out between two entries."""
        if self._is_claimed or before is None or self._range is None:
            return self._is_claimed
        return self._range[0] <= before.index and one.index <= self._range[1]

    def _link(self, before: Seen | None, one: Seen) -> int:
        """Return the number of the first entry that is missing between two, or 0."""
        entry = _members(one)
        last = 0 if before is None or _members(before)["op"] == "delete" else _seq(before)
        if entry["op"] == "insert":
            return last + 1 if last else 0
        if before is None and one.index < self._continued_to:
            return 0
        if not last or before is None or _seq(one) > last + 1:
            return last + 1
        follows = _seq(one) == last + 1 and entry["prev"] == before.entry.digest.hex()
        if follows:
            return 0
        if not self._is_strict(before, one):  # of another life of the record, perhaps
            return last + 1
        if _seq(one) <= last:
            self._state.clear()
            one.add(Verdict.REORDERED, f"entry {_seq(one)} of the record comes after entry {last}")
        else:
            one.add(Verdict.TAMPERED, f"does not follow from entry {last} of the record")
        return 0

    def _missing(self, number: int, shown_by: Seen) -> Problem:
        return Problem(
            verdict=Verdict.MISSING,
            message=f"entry {number} is missing before entry {_seq(shown_by)} of this record",
            index=shown_by.index,
            record=self._record[0],
            record_id=self._record[1],
        )

    def _fold(self, one: Seen) -> None:
        entry = _members(one)
        if entry["op"] == "insert":
            self._state.clear()
        if one.is_logged:
            self._compare(one, entry["old"])
        for column, value in entry["new"].items():
            if one.is_logged:
                self._state[column] = one.index, value
            else:  # what a changed entry says is not held against the next one
                self._state.pop(column, None)
        if entry["op"] == "delete":
            self._state.clear()

    def _compare(self, one: Seen, old: Mapping[str, Any]) -> None:
        wrong = [
            column
            for column, value in old.items()
            if column in self._state and not self._is_same(column, value, one.index)
        ]
        if wrong:
            one.add(
                Verdict.TAMPERED,
                f"the values before it are not those of the entries before: {', '.join(wrong)}",
            )

    def _is_same(self, column: str, value: Any, index: int) -> bool:
        written_at, known = self._state[column]
        if commitment.is_named_only(value):
            return known is None or commitment.is_commitment(known)
        if commitment.is_commitment(value) and commitment.is_commitment(known):
            if value == known:
                return True
            path = f"{self._record[0]}.{column}"
            one = self._opened.value(written_at, path, known["c"])
            other = self._opened.value(index, path, value["c"])
            return one is None or other is None or one == other
        return canonical.dumps(value) == canonical.dumps(known)


def _members(one: Seen) -> Mapping[str, Any]:
    return one.members or {}


def _seq(one: Seen) -> int:
    return int(_members(one)["record_seq"])
