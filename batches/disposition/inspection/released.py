"""Read the released batches of a snapshot with the decisions that released them."""

from batches.disposition.models import RELEASES, Decision
from batches.execution.models import Batch, DispositionState
from compliance.inspection.outcomes import Evidence
from compliance.inspection.snapshots import Snapshot

NONE = "No batch in scope was released."


def of(snapshot: Snapshot) -> list[tuple[Batch, Decision | None]]:
    """Return each released batch with its decision; None where there is none on record."""
    batches = snapshot.rows(Batch).filter(disposition=DispositionState.RELEASED)
    decisions = {
        one.batch_id: one
        for one in Decision.objects.filter(batch__in=batches, outcome__in=RELEASES)
        .select_related("signature")
        .order_by("pk")  # the newest release is the one that holds
    }
    return [(batch, decisions.get(batch.pk)) for batch in batches.select_related("recipe")]


def evidence(batch: Batch, decision: Decision | None) -> Evidence:
    values = {"number": batch.number, "disposition": batch.disposition}
    if decision is not None:
        values["decided_at"] = decision.decided_at.isoformat()
    return Evidence("execution_batch", str(batch.pk), values)
