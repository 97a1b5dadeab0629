"""RL-02: find releases without a conforming result for each required test."""

from batches.disposition import excursions
from batches.disposition.inspection import released
from batches.laboratory.models import Result
from compliance.inspection import outcomes
from compliance.inspection.outcomes import Fact, Outcome
from compliance.inspection.registry import CHECKS, Parameters
from compliance.inspection.snapshots import Snapshot


@CHECKS.register("RL-02")
def check(snapshot: Snapshot, parameters: Parameters) -> Outcome:
    """Report required tests without a result at release, and results outside limits."""
    found = released.of(snapshot)
    if not found:
        return outcomes.not_applicable(released.NONE)
    facts = []
    for batch, decision in found:
        results = Result.objects.filter(sample__batch=batch)
        if decision is not None:
            results = results.filter(recorded_at__lte=decision.decided_at)
        tags = set(results.values_list("tag", flat=True))
        problems = [
            f"no result of {parameter.name} ({parameter.tag}) was on record"
            for parameter in batch.recipe.parameters.filter(
                kind="result", is_required=True
            ).order_by("tag")
            if parameter.tag not in tags
        ]
        problems += [str(one) for one in excursions.of(batch) if one.kind == "result"]
        facts += [
            Fact(
                f"Batch {batch.number} was released; {problem}.",
                evidence=(released.evidence(batch, decision),),
                batches=frozenset({batch.number}),
            )
            for problem in problems
        ]
    failing = len({number for fact in facts for number in fact.batches})
    return outcomes.judged(facts, examined=len(found), failing=failing)
