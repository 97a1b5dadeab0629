"""DI-05: compare when people did something with when it was entered."""

from datetime import timedelta

from batches.execution.models import BatchEvent
from compliance.inspection import outcomes, wording
from compliance.inspection.outcomes import Evidence, Fact, Outcome
from compliance.inspection.registry import CHECKS, Parameters
from compliance.inspection.snapshots import Snapshot


@CHECKS.register("DI-05")
def check(snapshot: Snapshot, parameters: Parameters) -> Outcome:
    """Report late entries. A source that sends later is judged by its own time of entry."""
    late_after = timedelta(hours=int(str(parameters["late_after_hours"])))
    events = list(
        snapshot.rows(BatchEvent).exclude(performed_by="").select_related("batch", "source")
    )
    if not events:
        return outcomes.not_applicable("No event in scope was performed by a named person.")
    judged = [one for one in events if one.sent_at is not None or not one.is_backfilled]
    unknown = len(events) - len(judged)
    remark = ""
    if unknown:
        remark = (
            f"{wording.count(unknown, 'event')} came from a source that sends later and does not "
            f"say when {'it was' if unknown == 1 else 'they were'} entered there: whether "
            f"{'it is' if unknown == 1 else 'they are'} contemporaneous cannot be told."
        )
    if not judged:
        return outcomes.not_assessable(remark, examined=len(events))
    late = [
        (one, entered - one.occurred_at)
        for one in judged
        if (entered := one.sent_at or one.recorded_at) - one.occurred_at > late_after
    ]
    facts = [
        Fact(
            f"Batch {one.batch.number}: {one.get_kind_display().lower()} by {one.performed_by}, "
            f"said to have happened at {wording.moment(one.occurred_at)}, was entered "
            f"{wording.duration(delay)} later.",
            evidence=(
                Evidence(
                    "execution_batchevent",
                    str(one.pk),
                    {"occurred": one.occurred_text, "performed_by": one.performed_by},
                ),
            ),
            batches=frozenset({one.batch.number}),
            people=frozenset({one.performed_by}),
        )
        for one, delay in late
    ]
    return outcomes.judged(facts, examined=len(judged), failing=len(late), remark=remark)
