"""SG-06: find signatures that were given before what they confirm was complete."""

from batches.execution.models import Batch
from compliance.inspection import outcomes, wording
from compliance.inspection.outcomes import Evidence, Fact, Outcome
from compliance.inspection.registry import CHECKS, Parameters
from compliance.inspection.snapshots import Snapshot
from compliance.signatures import signing


@CHECKS.register("SG-06")
def check(snapshot: Snapshot, parameters: Parameters) -> Outcome:
    """Compare each signature under a batch with the end of the batch."""
    examined = 0
    facts = []
    for batch in snapshot.rows(Batch):
        for signature in signing.of(batch):
            examined += 1
            if batch.ended_at is not None and signature.signed_at >= batch.ended_at:
                continue
            ended = (
                f"ended on {wording.moment(batch.ended_at)}" if batch.ended_at else "has not ended"
            )
            facts.append(
                Fact(
                    f"{signature.printed_name} signed the {signature.get_meaning_display().lower()} "
                    f"of batch {batch.number} on {wording.moment(signature.signed_at)}; the batch "
                    f"{ended}.",
                    evidence=(
                        Evidence(
                            "signatures_signature",
                            str(signature.pk),
                            {"signed_at": signature.signed_at.isoformat()},
                        ),
                    ),
                    batches=frozenset({batch.number}),
                    people=frozenset({signature.username}),
                )
            )
    if not examined:
        return outcomes.not_applicable("No batch in scope is signed.")
    return outcomes.judged(facts, examined=examined, failing=len(facts))
