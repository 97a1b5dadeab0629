"""DI-06: find times that contradict each other: in the future, before the start, after the end."""

from collections.abc import Iterator
from datetime import timedelta

from batches.execution.models import Batch, BatchEvent
from compliance.inspection import outcomes, wording
from compliance.inspection.outcomes import Evidence, Fact, Outcome
from compliance.inspection.registry import CHECKS, Parameters
from compliance.inspection.snapshots import Snapshot


@CHECKS.register("DI-06")
def check(snapshot: Snapshot, parameters: Parameters) -> Outcome:
    """Report events whose time cannot be right beside the other times of the record."""
    tolerance = timedelta(seconds=int(str(parameters["tolerance_seconds"])))
    examined = 0
    facts = []
    for batch in snapshot.rows(Batch):
        for event in batch.events.order_by("occurred_at", "pk"):
            examined += 1
            if problems := list(_problems(batch, event, tolerance)):
                facts.append(
                    Fact(
                        f"Batch {batch.number}: {event.get_kind_display().lower()} at "
                        f"{wording.moment(event.occurred_at)} {wording.listed(problems)}.",
                        evidence=(
                            Evidence(
                                "execution_batchevent",
                                str(event.pk),
                                {"occurred": event.occurred_text},
                            ),
                        ),
                        batches=frozenset({batch.number}),
                    )
                )
    if not examined:
        return outcomes.not_applicable("No event is recorded in scope.")
    return outcomes.judged(facts, examined=examined, failing=len(facts))


def _problems(batch: Batch, event: BatchEvent, tolerance: timedelta) -> Iterator[str]:
    if event.occurred_at > event.recorded_at + tolerance:
        yield f"was recorded before it happened ({wording.moment(event.recorded_at)})"
    if event.sent_at and event.sent_at < event.occurred_at - tolerance:
        yield f"was sent before it happened ({wording.moment(event.sent_at)})"
    if batch.started_at and event.occurred_at < batch.started_at - tolerance:
        yield f"lies before the start of the batch ({wording.moment(batch.started_at)})"
    if batch.ended_at and event.occurred_at > batch.ended_at + tolerance:
        yield f"lies after the end of the batch ({wording.moment(batch.ended_at)})"
