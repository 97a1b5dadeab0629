"""RL-03: ask who released, and in which role."""

from batches.disposition.inspection import released
from compliance.access.duties import LABELS, Role
from compliance.inspection import outcomes, wording
from compliance.inspection.outcomes import Fact, Outcome
from compliance.inspection.registry import CHECKS, Parameters
from compliance.inspection.snapshots import Snapshot
from compliance.signatures.models import Meaning

QUALITY = (LABELS[Role.QUALITY_ASSURANCE], LABELS[Role.QUALIFIED_PERSON])


@CHECKS.register("RL-03")
def check(snapshot: Snapshot, parameters: Parameters) -> Outcome:
    """Report releases without a decision on record, or signed by somebody outside quality."""
    found = released.of(snapshot)
    if not found:
        return outcomes.not_applicable(released.NONE)
    facts = []
    for batch, decision in found:
        if decision is None:
            problem = "is released, and no decision is on record"
        elif decision.signature.meaning != Meaning.RELEASED:
            problem = (
                f"was released on {wording.moment(decision.decided_at)} under a signature that "
                f"means {decision.signature.get_meaning_display().lower()}"
            )
        elif not any(role in decision.signature.role for role in QUALITY):
            problem = (
                f"was released on {wording.moment(decision.decided_at)} by "
                f"{decision.signature.printed_name}, signing as {decision.signature.role}"
            )
        else:
            continue
        facts.append(
            Fact(
                f"Batch {batch.number} {problem}.",
                evidence=(released.evidence(batch, decision),),
                batches=frozenset({batch.number}),
            )
        )
    return outcomes.judged(facts, examined=len(found), failing=len(facts))
