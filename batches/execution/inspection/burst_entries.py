"""DI-08: find more entries by one person than can be made in the time."""

from collections import defaultdict
from datetime import datetime, timedelta

from batches.execution.models import BatchEvent
from compliance.inspection import outcomes, wording
from compliance.inspection.outcomes import Evidence, Fact, Outcome
from compliance.inspection.registry import CHECKS, Parameters
from compliance.inspection.snapshots import Snapshot


@CHECKS.register("DI-08")
def check(snapshot: Snapshot, parameters: Parameters) -> Outcome:
    """Report bursts by the time of entry; what a source sent later counts by its own."""
    least = int(str(parameters["at_least"]))
    within = timedelta(seconds=int(str(parameters["within_seconds"])))
    entered: dict[str, list[tuple[datetime, BatchEvent]]] = defaultdict(list)
    total = 0
    events = snapshot.rows(BatchEvent).exclude(performed_by="").select_related("batch")
    for event in events:
        total += 1
        if event.sent_at is not None:
            entered[event.performed_by].append((event.sent_at, event))
        elif not event.is_backfilled:
            entered[event.performed_by].append((event.recorded_at, event))
    if not total:
        return outcomes.not_applicable("No event in scope was performed by a named person.")
    examined = sum(len(found) for found in entered.values())
    if not examined:
        return outcomes.not_assessable(
            f"None of the {total} events shows when it was entered at its source.", examined=total
        )
    facts = []
    failing = 0
    for who, found in sorted(entered.items()):
        found.sort(key=lambda pair: (pair[0], pair[1].pk))
        burst = _longest(found, within)
        if len(burst) >= least:
            failing += len(burst)
            span = wording.duration(burst[-1][0] - burst[0][0])
            facts.append(
                Fact(
                    f"{who} entered {len(burst)} events within {span}, from "
                    f"{wording.moment(burst[0][0])}.",
                    evidence=tuple(
                        Evidence("execution_batchevent", str(event.pk), {"performed_by": who})
                        for _, event in burst
                    ),
                    batches=frozenset(event.batch.number for _, event in burst),
                    people=frozenset({who}),
                )
            )
    return outcomes.judged(facts, examined=examined, failing=failing)


def _longest(
    found: list[tuple[datetime, BatchEvent]], within: timedelta
) -> list[tuple[datetime, BatchEvent]]:
    best: list[tuple[datetime, BatchEvent]] = []
    first = 0
    for last in range(len(found)):
        while found[last][0] - found[first][0] > within:
            first += 1
        if last - first + 1 > len(best):
            best = found[first : last + 1]
    return best
