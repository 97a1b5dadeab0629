"""RL-05: find records of a batch that changed after its release."""

from batches.disposition.inspection import released
from batches.laboratory.models import Result
from compliance.inspection import entries, outcomes, wording
from compliance.inspection.outcomes import Evidence, Fact, Outcome
from compliance.inspection.registry import CHECKS, Parameters
from compliance.inspection.snapshots import Snapshot


@CHECKS.register("RL-05")
def check(snapshot: Snapshot, parameters: Parameters) -> Outcome:
    """Read the trail of each released batch after its decision."""
    found = released.of(snapshot)
    if not found:
        return outcomes.not_applicable(released.NONE)
    facts = []
    for batch, decision in found:
        if decision is None:
            continue
        tables = {
            "execution_batch": [str(batch.pk)],
            "execution_batchphase": _ids(batch.phases.values_list("pk", flat=True)),
            "execution_batchevent": _ids(batch.events.values_list("pk", flat=True)),
            "execution_readingsegment": _ids(batch.segments.values_list("pk", flat=True)),
            "laboratory_result": _ids(
                Result.objects.filter(sample__batch=batch).values_list("pk", flat=True)
            ),
        }
        for table, ids in tables.items():
            later = list(entries.of_records(snapshot, table, ids, after=decision.decided_at))
            # The release itself writes the batch's new disposition in its own act.
            later = [one for one in later if not one.action.startswith("disposition.")]
            if not later:
                continue
            facts.append(
                Fact(
                    f"Batch {batch.number} was released on {wording.moment(decision.decided_at)}; "
                    f"{wording.count(len(later), 'entry', 'entries')} on {table} came after it, the "
                    f"first on {wording.moment(later[0].at)} by {later[0].actor} ({later[0].action}).",
                    evidence=(
                        released.evidence(batch, decision),
                        *(Evidence(one.record, one.record_id, {"op": one.op}) for one in later),
                    ),
                    batches=frozenset({batch.number}),
                )
            )
    failing = len({number for fact in facts for number in fact.batches})
    return outcomes.judged(facts, examined=len(found), failing=failing)


def _ids(keys: object) -> list[str]:
    return [str(key) for key in keys]  # type: ignore[attr-defined]
