"""Run every check over one snapshot, and put each outcome into an inspector's words and class."""

from collections.abc import Mapping
from dataclasses import dataclass

from compliance.inspection import classification, entries, rule_packs, scopes, wording
from compliance.inspection.classification import Circumstances, Classed
from compliance.inspection.models import FindingClass, Profile, Verdict
from compliance.inspection.outcomes import Outcome
from compliance.inspection.registry import CHECKS
from compliance.inspection.rule_packs import Pack, Rule
from compliance.inspection.snapshots import Snapshot
from compliance.trail.tlog import canonical


@dataclass(frozen=True)
class Result:
    """What is stored of one check: plain values only."""

    check_id: str
    order: int
    verdict: str
    finding_class: str
    class_reason: str
    title: str
    clauses: list[canonical.Value]
    alcoa: list[canonical.Value]
    text: str
    examined: int
    failing: int
    evidence: list[canonical.Value]
    question: str
    investigation_scope: str


@dataclass(frozen=True)
class Assessment:
    """The whole answer of a rule pack to a snapshot."""

    snapshot: Snapshot
    pack: str
    grade: str
    assessed: int
    summary: str
    results: tuple[Result, ...]


def assess(
    snapshot: Snapshot, *, profile: Profile, repeats: Mapping[str, str], pack: Pack | None = None
) -> Assessment:
    """Judge a snapshot by a rule pack; `repeats` names the earlier inspection that found the same."""
    pack = pack or rule_packs.load()
    pack.demand_complete(CHECKS.ids())
    released = scopes.released(snapshot.scope)
    judged: list[tuple[Rule, Outcome, Classed | None]] = []
    for check_id, rule in sorted(pack.rules.items()):
        outcome = CHECKS[check_id](snapshot, rule.parameters)
        classed = None
        if outcome.verdict == Verdict.FINDING:
            classed = classification.classify(
                rule,
                outcome,
                circumstances=Circumstances(repeats.get(check_id, ""), released),
                thresholds=pack.classification,
            )
        judged.append((rule, outcome, classed))
    judged.sort(key=_significance)
    results = tuple(
        _result(snapshot, rule, outcome, classed, profile=profile, order=order)
        for order, (rule, outcome, classed) in enumerate(judged, start=1)
    )
    grade = classification.grade(
        (classed.finding_class for _, _, classed in judged if classed), thresholds=pack.grading
    )
    assessed = classification.assessed(outcome.verdict for _, outcome, _ in judged)
    return Assessment(
        snapshot=snapshot,
        pack=pack.label,
        grade=grade,
        assessed=assessed,
        summary=_summary(
            judged, grade=grade, assessed=assessed, profile=profile, scope=snapshot.scope
        ),
        results=results,
    )


_VERDICTS = (Verdict.FINDING, Verdict.NOT_ASSESSABLE, Verdict.CLEAN, Verdict.NOT_APPLICABLE)


def _significance(one: tuple[Rule, Outcome, Classed | None]) -> tuple[int, int, str]:
    """Order as a Form FDA 483 does: the most significant observation first."""
    rule, outcome, classed = one
    level = -classification.ORDER.index(classed.finding_class) if classed else 0
    return _VERDICTS.index(outcome.verdict), level, rule.id


def _result(
    snapshot: Snapshot, rule: Rule, outcome: Outcome, classed: Classed | None, *,
    profile: Profile, order: int,
) -> Result:  # fmt: skip
    is_finding = classed is not None
    return Result(
        check_id=rule.id,
        order=order,
        verdict=outcome.verdict.value,
        finding_class=classed.finding_class.value if classed else "",
        class_reason=classed.reason if classed else "",
        title=rule.title,
        clauses=[
            {"reference": clause.reference, "source_status": clause.source_status}
            for clause in rule.clauses[profile]
        ],
        alcoa=list(rule.alcoa),
        text=wording.observation(rule, outcome, profile) if is_finding else outcome.remark,
        examined=outcome.examined,
        failing=outcome.failing,
        evidence=_evidence(snapshot, outcome),
        question=rule.question if is_finding else "",
        investigation_scope=rule.scope if is_finding else "",
    )


def _evidence(snapshot: Snapshot, outcome: Outcome) -> list[canonical.Value]:
    """Return each record a fact rests on once, with the facts it carries and its trail entries."""
    found: dict[tuple[str, str], dict[str, canonical.Value]] = {}
    for index, fact in enumerate(outcome.facts):
        for one in fact.evidence:
            row = found.setdefault(
                (one.record, one.record_id),
                {"record": one.record, "record_id": one.record_id, "facts": [], "values": {}},
            )
            row["facts"] = sorted({*_texts(row["facts"]), wording.letter(index)})
            values = row["values"]
            row["values"] = {**values, **one.values} if isinstance(values, dict) else {}
    numbers = entries.ids_of(snapshot, found)
    for key, row in found.items():
        row["entries"] = list(numbers.get(key, []))
    return list(found.values())


def _texts(values: canonical.Value) -> list[str]:
    return [str(value) for value in values] if isinstance(values, list) else []


def _summary(
    judged: list[tuple[Rule, Outcome, Classed | None]], *, grade: str, assessed: int,
    profile: Profile, scope: tuple[str, ...],
) -> str:  # fmt: skip
    classes = [classed.finding_class for _, _, classed in judged if classed]
    counted = wording.listed(
        f"{classes.count(one)} {one.label.lower()}" for one in reversed(classification.ORDER)
    )
    verdicts = [outcome.verdict for _, outcome, _ in judged]
    batches = f"{'batch' if len(scope) == 1 else 'batches'} {wording.listed(scope)}"
    said = [
        f"{wording.SIMULATED}.",
        f"Review of {batches if scope else 'every batch of the site'} against {profile.label}.",
        f"{wording.count(len(classes), 'finding')}: {counted}." if classes else "No findings.",
        f"Compliance level on the TGA scale: {grade}.",
        f"Coverage: {assessed} of {len(judged)} checks assessable; "
        f"{verdicts.count(Verdict.NOT_ASSESSABLE)} not assessable for want of data, "
        f"{verdicts.count(Verdict.NOT_APPLICABLE)} not applicable.",
    ]
    if profile is Profile.FDA:
        said.append(_systems(judged))
    return " ".join(said)


def _systems(judged: list[tuple[Rule, Outcome, Classed | None]]) -> str:
    """Say the state of each of the six systems (FDA CP 7356.002): a critical one is out of control."""
    states: dict[str, str] = {}
    for rule, outcome, classed in judged:
        if outcome.verdict in (Verdict.NOT_APPLICABLE, Verdict.NOT_ASSESSABLE):
            continue
        if classed is None:
            states.setdefault(rule.system, "no observation")
        elif classed.finding_class == FindingClass.CRITICAL:
            states[rule.system] = "out of control"
        elif states.get(rule.system) != "out of control":
            states[rule.system] = "observations"
    said = "; ".join(f"{system}: {state}" for system, state in sorted(states.items()))
    return f"Systems: {said}." if said else ""
