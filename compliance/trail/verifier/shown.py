"""Say of which records and which indices a bundle shows that nothing is left out."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from compliance.trail.verifier.contents import Contents, Record
from compliance.trail.verifier.documents import TABLE, Documents
from compliance.trail.verifier.entries_check import Seen
from compliance.trail.verifier.findings import Problem, Verdict

NOTHING = (
    "no record's history is shown complete: what is here can be verified, "
    "what may be left out cannot be known"
)
_ELSEWHERE = (Verdict.TAMPERED, Verdict.REORDERED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """How many claimed records the seal shows complete, or without entry; `others` it does not."""

    complete: int = 0
    absent: int = 0
    others: int = 0
    sealed_size: int = 0
    tree_size: int = 0
    range: tuple[int, int] | None = None

    def sayings(self) -> Iterator[str]:
        """Yield the sentences for people; the first ones say what is complete, or that nothing is."""
        as_of = f"as of tree size {self.sealed_size} of {self.tree_size}"
        if self.range:
            yield f"every entry from index {self.range[0]} to {self.range[1]} is here"
        if self.complete:
            yield f"{_counted(self.complete, 'record is', 'records are')} shown complete {as_of}"
        else:
            yield NOTHING
        if self.absent:
            counted = _counted(self.absent, "record is", "records are")
            yield f"{counted} shown to have no entry {as_of}"
        if self.complete and self.others:
            counted = _counted(self.others, "other record has", "other records have")
            yield f"{counted} entries here, and nothing shows that they are all"


def of(
    contents: Contents,
    documents: Documents,
    walked: Mapping[Record, Sequence[Seen]],
    verdicts: Mapping[int, Verdict],
    problems: Iterable[Problem],
) -> Shown:
    """Return what is shown complete when these problems were found."""
    index = contents.completeness.seal
    seal = None if index is None else documents.seals.get(index)
    size = seal.tree_size if seal else 0
    claimed = set(contents.subject.records)
    sure = claimed - {(one.record or "", one.record_id or "") for one in problems}
    # The check held these entries against the heads: it named each record of which they differ.
    complete = sum(any(at.index < size for at in walked.get(one, ())) for one in sure)
    return Shown(
        complete=complete,
        absent=len(sure) - complete,
        others=sum(one not in claimed and one[0] != TABLE for one in walked),
        sealed_size=size,
        tree_size=contents.tree_size,
        range=_whole_range(contents, verdicts),
    )


def _whole_range(contents: Contents, verdicts: Mapping[int, Verdict]) -> tuple[int, int] | None:
    if contents.subject.range is None:
        return None
    first, last = contents.subject.range
    inside = [verdict for index, verdict in verdicts.items() if first <= index <= last]
    is_whole = len(inside) == last - first + 1 and not any(one in _ELSEWHERE for one in inside)
    return contents.subject.range if is_whole else None


def _counted(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"
