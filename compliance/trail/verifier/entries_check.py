"""Check each entry: its body, its place in the log, its form, and the chain through all."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from compliance.trail import entry_form
from compliance.trail.entry_form import EntryMalformed
from compliance.trail.tlog import leaf, merkle
from compliance.trail.tlog.canonical import NotCanonical
from compliance.trail.tlog.leaf import Leaf
from compliance.trail.verifier.contents import Contents, Entry
from compliance.trail.verifier.findings import Problem, Verdict


@dataclass(slots=True, kw_only=True)
class Seen:
    """An entry and what its checks showed.

    `is_logged`: body and digest agree and are in the log at this index. `members`: of a body in
    the form of an entry, also when it is not logged. `is_sound`: all of it, and of this log.
    """

    entry: Entry
    leaf: Leaf
    is_logged: bool = False
    members: Mapping[str, Any] | None = None
    is_sound: bool = False
    problems: list[Problem] = field(default_factory=list)

    @property
    def index(self) -> int:
        return self.entry.index

    def add(self, verdict: Verdict, message: str) -> None:
        self.problems.append(
            Problem(verdict=verdict, message=message, file="entries.jsonl", index=self.index)
        )


def check(contents: Contents) -> dict[int, Seen]:
    """Return what is known of each entry, by index, with its problems."""
    root = contents.checkpoints[contents.tree_size].checkpoint().root
    seen = {
        entry.index: Seen(entry=entry, leaf=entry.leaf(contents.origin))
        for entry in contents.entries
    }
    strayed = [
        one for one in seen.values() if _has_own_digest(one) and not _is_in(one, contents, root)
    ]
    for position, one in enumerate(strayed):
        neighbours = [
            *strayed[max(position - 1, 0) : position],
            *strayed[position + 1 : position + 2],
        ]
        _explain(one, neighbours, contents, root)
    for one in seen.values():
        _read_body(one, contents.origin)
    _check_chain(list(seen.values()), contents.origin)
    return seen


def gaps(contents: Contents, seen: Mapping[int, Seen]) -> Iterator[Problem]:
    """Yield the indices that a period claims and has not, each gap once."""
    if contents.subject.range is None:
        return
    first, last = contents.subject.range
    present = [first - 1, *sorted(one for one in seen if first <= one <= last), last + 1]
    for before, after in pairwise(present):
        if after - before > 1:
            yield Problem(
                verdict=Verdict.MISSING,
                message=f"{after - before - 1} entries of the period, from index {before + 1} on",
                index=before + 1,
            )


def _has_own_digest(one: Seen) -> bool:
    if leaf.entry_digest(one.entry.body) == one.entry.digest:
        return True
    one.add(Verdict.TAMPERED, "the body is not the one whose digest is in the log")
    return False


def _is_in(one: Seen, contents: Contents, root: bytes) -> bool:
    one.is_logged = _proves(one.leaf, one.entry, contents, root)
    return one.is_logged


def _proves(found: Leaf, at: Entry, contents: Contents, root: bytes) -> bool:
    try:
        merkle.verify_inclusion(found.hash, at.index, contents.tree_size, at.proof, root)
    except merkle.ProofInvalid:
        return False
    return True


def _explain(one: Seen, neighbours: Sequence[Seen], contents: Contents, root: bytes) -> None:
    """Say of an entry that is not in the log at its place whether it is at a neighbour's."""
    for other in neighbours:
        moved = Leaf(
            origin=contents.origin,
            index=other.index,
            digest=one.entry.digest,
            previous=other.entry.previous,
        )
        if _proves(moved, other.entry, contents, root):
            one.add(Verdict.REORDERED, f"the log has this entry at index {other.index}")
            return
    one.add(Verdict.TAMPERED, "the log does not contain this entry at this index")


def _read_body(one: Seen, origin: str) -> None:
    try:
        one.members = entry_form.parse(one.entry.body)
    except (NotCanonical, EntryMalformed) as error:
        if one.is_logged:
            one.add(Verdict.NONCANONICAL, str(error))
        return
    if not one.is_logged:
        return
    one.is_sound = one.members["log"] == origin
    if not one.is_sound:
        one.add(Verdict.TAMPERED, f"an entry of another log, {one.members['log']}")


def _check_chain(seen: Sequence[Seen], origin: str) -> None:
    logged = [one for one in seen if one.is_logged]
    if logged and logged[0].index == 0 and logged[0].leaf.previous != leaf.chain_start(origin):
        logged[0].add(Verdict.REORDERED, "the chain does not begin here")
    for before, after in pairwise(logged):
        if after.index == before.index + 1 and after.leaf.previous != before.leaf.chain:
            after.add(Verdict.REORDERED, "the chain does not lead from the entry before to this")
