"""RL-01: find releases while a deviation of the batch was open."""

from batches.disposition.inspection import released
from compliance.inspection import outcomes, wording
from compliance.inspection.outcomes import Evidence, Fact, Outcome
from compliance.inspection.registry import CHECKS, Parameters
from compliance.inspection.snapshots import Snapshot


@CHECKS.register("RL-01")
def check(snapshot: Snapshot, parameters: Parameters) -> Outcome:
    """Compare the time of each release with the closing of the batch's deviations."""
    found = released.of(snapshot)
    if not found:
        return outcomes.not_applicable(released.NONE)
    facts = []
    for batch, decision in found:
        for deviation in batch.deviations.order_by("number"):
            if decision is None or deviation.opened_at > decision.decided_at:
                continue
            if deviation.closed_at is not None and deviation.closed_at <= decision.decided_at:
                continue
            state = (
                f"was closed on {wording.moment(deviation.closed_at)}"
                if deviation.closed_at
                else "is open still"
            )
            facts.append(
                Fact(
                    f"Batch {batch.number} was released on {wording.moment(decision.decided_at)}; "
                    f"{deviation.number} ({deviation.get_severity_display().lower()}), opened on "
                    f"{wording.moment(deviation.opened_at)}, {state}.",
                    evidence=(
                        released.evidence(batch, decision),
                        Evidence(
                            "quality_deviation", str(deviation.pk), {"state": deviation.state}
                        ),
                    ),
                    batches=frozenset({batch.number}),
                )
            )
    failing = len({number for fact in facts for number in fact.batches})
    return outcomes.judged(facts, examined=len(found), failing=failing)
