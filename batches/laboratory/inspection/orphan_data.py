"""LB-09: find gaps in sequences and raw data that no record names (211.194(a)(4))."""

from batches.laboratory import orphans
from batches.laboratory.models import Run, RunState
from compliance.inspection import outcomes, wording
from compliance.inspection.outcomes import Evidence, Fact, Outcome
from compliance.inspection.registry import CHECKS, Parameters
from compliance.inspection.snapshots import Snapshot


@CHECKS.register("LB-09")
def check(snapshot: Snapshot, parameters: Parameters) -> Outcome:
    """Report every run that has ended with a gap or an orphan file that nobody explained."""
    runs = list(snapshot.rows(Run).exclude(state=RunState.RUNNING).select_related("analyst"))
    if not runs:
        return outcomes.not_applicable("No run that has ended is in scope.")
    facts = []
    for run in runs:
        names = [one.name for one in orphans.of(run) if not one.explanation]
        if names:
            facts.append(
                Fact(
                    f"The sequence of {run} on {run.instrument} lacks a record or an explanation "
                    f"of {wording.listed(names)}.",
                    evidence=(Evidence("laboratory_run", str(run.pk), {"number": run.number}),),
                    batches=frozenset(_batches(run)),
                    people=frozenset({run.analyst.username}),
                )
            )
    return outcomes.judged(facts, examined=len(runs), failing=len(facts))


def _batches(run: Run) -> set[str]:
    samples = run.injections.exclude(sample=None).values_list("sample__batch__number", flat=True)
    return {number for number in samples if number}
