"""Class a finding as PIC/S PI 040-1 does, and grade a site on the TGA's scale; say why each time."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from compliance.inspection import wording
from compliance.inspection.models import FindingClass, Verdict
from compliance.inspection.outcomes import Outcome
from compliance.inspection.rule_packs import Rule

ORDER = (FindingClass.OTHER, FindingClass.MAJOR, FindingClass.CRITICAL)


@dataclass(frozen=True)
class Circumstances:
    """What the class depends on beside the finding: who was told before, and where product is."""

    repeat_of: str = ""
    released: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Classed:
    finding_class: FindingClass
    reason: str


def classify(
    rule: Rule, outcome: Outcome, *, circumstances: Circumstances, thresholds: Mapping[str, int]
) -> Classed:
    """Return the class of a finding with every adjustment written out."""
    if outcome.proposed is not None:
        level = ORDER.index(outcome.proposed)
        said = [f"Base class {outcome.proposed.label}: {outcome.proposed_because}."]
    else:
        level = ORDER.index(rule.base)
        said = [f"Base class {rule.base.label}."]
    start = level
    touched = sorted(outcome.batches & circumstances.released)
    if pattern := _pattern(outcome, thresholds):
        # PI 040-1: several related "others" may together be a major deficiency; never a critical
        level = max(level, min(level + 1, ORDER.index(FindingClass.MAJOR)))
        said.append(_step(start, level, f"the same rule fails for {pattern}"))
    before = level
    if circumstances.repeat_of:
        level = min(level + 1, len(ORDER) - 1)
        said.append(
            _step(before, level, f"repeat of a finding of inspection {circumstances.repeat_of}")
        )
    before = level
    if touched:
        level = min(level + 1, len(ORDER) - 1)
        batches = "released batch" if len(touched) == 1 else "released batches"
        said.append(_step(before, level, f"it concerns {batches} {wording.listed(touched)}"))
    elif outcome.controlled:
        level = max(level - 1, 0)
        said.append(_step(before, level, outcome.controlled))
    if outcome.indicator:
        said.append(f"{wording.INDICATOR}.")
    return Classed(ORDER[level], " ".join(said))


def _step(before: int, after: int, why: str) -> str:
    if after > before:
        return f"Raised to {ORDER[after].label}: {why}."
    if after < before:
        return f"Lowered to {ORDER[after].label}: {why}."
    return f"Not changed further by: {why}."


def _pattern(outcome: Outcome, thresholds: Mapping[str, int]) -> str:
    if len(outcome.batches) >= thresholds["pattern_batches"]:
        return f"{len(outcome.batches)} batches"
    if len(outcome.people) >= thresholds["pattern_people"]:
        return f"{len(outcome.people)} people"
    return ""


def grade(classes: Iterable[FindingClass], *, thresholds: Mapping[str, int]) -> str:
    """Return A1, A2, A3 or Unacceptable: any critical finding is Unacceptable."""
    found = list(classes)
    majors, others = found.count(FindingClass.MAJOR), found.count(FindingClass.OTHER)
    if FindingClass.CRITICAL in found or majors > thresholds["a3_majors"]:
        return "Unacceptable"
    if majors > thresholds["a2_majors"]:
        return "A3"
    if majors or others > thresholds["a1_others"]:
        return "A2"
    return "A1"


def assessed(verdicts: Iterable[Verdict]) -> int:
    """Count the checks that could say something of the records: findings and clean ones."""
    return sum(verdict in (Verdict.FINDING, Verdict.CLEAN) for verdict in verdicts)
