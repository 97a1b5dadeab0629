"""Hold what a check says: a verdict, how much it looked at, and every fact with its evidence."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from compliance.inspection.models import FindingClass, Verdict


@dataclass(frozen=True)
class Evidence:
    """One record that carries a fact: where it is, and the values that were read there."""

    record: str
    record_id: str
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Fact:
    """One true sentence of a finding, with the records it was read from and who it concerns."""

    text: str
    evidence: tuple[Evidence, ...] = ()
    batches: frozenset[str] = frozenset()
    people: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Outcome:
    """What one check says of one snapshot.

    `remark` says why something could not be judged, or what was left out. `proposed` replaces
    the pack's base class with the reason beside it. `controlled` names what the site itself did
    before anybody else saw it. `indicator` says what may point to falsification: the engine only
    ever says "indicator of possible falsification"; the word itself is for people.
    """

    verdict: Verdict
    examined: int = 0
    failing: int = 0
    facts: tuple[Fact, ...] = ()
    remark: str = ""
    proposed: FindingClass | None = None
    proposed_because: str = ""
    controlled: str = ""
    indicator: str = ""

    @property
    def batches(self) -> frozenset[str]:
        return frozenset().union(*(fact.batches for fact in self.facts))

    @property
    def people(self) -> frozenset[str]:
        return frozenset().union(*(fact.people for fact in self.facts))


def clean(*, examined: int, remark: str = "") -> Outcome:
    """Say that nothing is wrong in what was examined; nothing examined is never clean."""
    if examined < 1:
        raise ValueError("clean means that something was examined: say not applicable instead")
    return Outcome(Verdict.CLEAN, examined=examined, remark=remark)


def not_applicable(why: str) -> Outcome:
    """Say that there is nothing of the kind in scope."""
    return Outcome(Verdict.NOT_APPLICABLE, remark=why)


def not_assessable(why: str, *, examined: int = 0) -> Outcome:
    """Say that the records exist but lack what a judgement needs."""
    return Outcome(Verdict.NOT_ASSESSABLE, examined=examined, remark=why)


def finding(
    facts: Iterable[Fact], *, examined: int, failing: int, remark: str = "",
    proposed: FindingClass | None = None, proposed_because: str = "", controlled: str = "",
    indicator: str = "",
) -> Outcome:  # fmt: skip
    """Report facts that break the rule: `failing` of the `examined` records."""
    stated = tuple(facts)
    if not stated or not 0 < failing <= examined:
        raise ValueError(f"a finding has facts and counts: {failing} of {examined}")
    return Outcome(
        Verdict.FINDING, examined, failing, stated, remark, proposed, proposed_because, controlled,
        indicator,
    )  # fmt: skip


def judged(facts: Iterable[Fact], *, examined: int, failing: int, remark: str = "") -> Outcome:
    """Return a finding where there are facts, else clean."""
    stated = tuple(facts)
    if stated:
        return finding(stated, examined=examined, failing=failing, remark=remark)
    return clean(examined=examined, remark=remark)
