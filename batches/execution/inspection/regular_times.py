"""DI-09: find times that people and processes do not produce: all alike, or all on the hour."""

from collections import Counter
from itertools import pairwise

from batches.execution.inspection import measured
from batches.execution.inspection.measured import Measured
from compliance.inspection import outcomes, wording
from compliance.inspection.outcomes import Fact, Outcome
from compliance.inspection.registry import CHECKS, Parameters
from compliance.inspection.snapshots import Snapshot


@CHECKS.register("DI-09")
def check(snapshot: Snapshot, parameters: Parameters) -> Outcome:
    """Report measurements by people at exactly regular moments, and midnight placeholders."""
    least, share = int(str(parameters["at_least"])), int(str(parameters["share_percent"]))
    placeholder = int(str(parameters["placeholder_percent"]))
    few = int(str(parameters["placeholder_at_least"]))
    facts = []
    examined = failing = 0
    for batch, found in measured.of(snapshot).items():
        named = [one for one in found if one.event.performed_by]
        if len(named) < least:
            continue
        examined += len(named)
        regular = _regular(batch, named, share)
        if regular:
            failing += len(named)
            facts.append(regular)
            continue
        midnight = [one for one in named if one.when[11:19] == "00:00:00"]
        if len(midnight) >= few and 100 * len(midnight) >= placeholder * len(named):
            failing += len(midnight)
            facts.append(
                Fact(
                    f"Batch {batch}: {len(midnight)} of {len(named)} measurements are timed at "
                    "exactly midnight.",
                    evidence=tuple(one.evidence for one in midnight[:5]),
                    batches=frozenset({batch}),
                )
            )
    if not examined:
        return outcomes.not_applicable(
            f"No batch in scope has {least} measurements by named people."
        )
    return outcomes.judged(facts, examined=examined, failing=failing)


def _regular(batch: str, named: list[Measured], share: int) -> Fact | None:
    gaps = Counter(
        later.event.occurred_at - earlier.event.occurred_at for earlier, later in pairwise(named)
    )
    gap, number = gaps.most_common(1)[0]
    total = len(named) - 1
    if 100 * number < share * total or not gap:
        return None
    people = len({one.event.performed_by for one in named})
    phases = len({one.event.phase for one in named})
    quantity = f"all {total}" if number == total else f"{number} of {total}"
    return Fact(
        f"Batch {batch}: {quantity} intervals between successive measurements, from "
        f"{named[0].when} to {named[-1].when}, are exactly {wording.duration(gap)}, whichever of "
        f"{wording.count(people, 'person', 'people')} and {wording.count(phases, 'phase')} they "
        "belong to.",
        evidence=(named[0].evidence, named[-1].evidence),
        batches=frozenset({batch}),
    )
