"""BR-03: hold the order in which phases were recorded against the order of the recipe."""

from datetime import timedelta
from itertools import pairwise

from batches.execution.inspection import measured
from batches.execution.inspection.measured import Measured
from batches.execution.inspection.record_completeness import UNIT
from batches.execution.models import Batch, BatchPhase
from compliance.inspection import outcomes, wording
from compliance.inspection.outcomes import Evidence, Fact, Outcome
from compliance.inspection.registry import CHECKS, Parameters
from compliance.inspection.snapshots import Snapshot


@CHECKS.register("BR-03")
def check(snapshot: Snapshot, parameters: Parameters) -> Outcome:
    """Report phases that began before their predecessor ended, or were recorded out of order."""
    tolerance = timedelta(seconds=int(str(parameters["tolerance_seconds"])))
    recorded = measured.of(snapshot)
    facts: list[Fact] = []
    examined = 0
    for batch in snapshot.rows(Batch):
        phases = list(batch.phases.order_by("order"))
        timed = [phase for phase in phases if phase.started_at]
        logged = [one for one in recorded.get(batch.number, []) if one.event.phase]
        if not timed and not logged:
            continue
        examined += 1
        facts += [
            fact
            for fact in (_overlap(batch, timed, tolerance), _out_of_order(batch, phases, logged))
            if fact
        ]
    if not examined:
        return outcomes.not_applicable("No batch in scope has recorded phases.")
    failing = len({number for fact in facts for number in fact.batches})
    return outcomes.judged(facts, examined=examined, failing=failing)


def _overlap(batch: Batch, timed: list[BatchPhase], tolerance: timedelta) -> Fact | None:
    for before, after in pairwise(timed):
        if after.started_at is None:
            continue
        if before.ended_at is None or after.started_at < before.ended_at - tolerance:
            ended = (
                f"ended at {wording.moment(before.ended_at)}"
                if before.ended_at
                else "is not recorded as ended"
            )
            return Fact(
                f"Batch {batch.number}: {after.name} began at {wording.moment(after.started_at)}, "
                f"while its predecessor {before.name} {ended}.",
                evidence=(
                    Evidence("execution_batchphase", str(before.pk), {"name": before.name}),
                    Evidence("execution_batchphase", str(after.pk), {"name": after.name}),
                ),
                batches=frozenset({batch.number}),
            )
    return None


def _out_of_order(batch: Batch, phases: list[BatchPhase], logged: list[Measured]) -> Fact | None:
    """Report a first record of a late phase that lies before any record of an earlier phase."""
    order = {phase.name: phase.order for phase in phases}
    known = [one for one in logged if one.event.phase in order]
    if not known:
        return None
    first: dict[str, Measured] = {}
    for one in known:
        first.setdefault(one.event.phase, one)
    opening = known[0]
    missing = [
        first[phase.name]
        for phase in phases
        if phase.name in first
        and phase.order < order[opening.event.phase]
        and first[phase.name].event.occurred_at > opening.event.occurred_at
    ]
    if not missing:
        return None
    back = sum(
        order[later.event.phase] < order[earlier.event.phase] for earlier, later in pairwise(known)
    )
    earlier = wording.listed(f"{one.event.phase} ({one.when})" for one in missing)
    said = (
        f"Batch {batch.number}: the first record is of {opening.event.phase} ({opening.when}), "
        f"phase {order[opening.event.phase]} of {len(phases)} in {batch.recipe}; the first records of "
        f"{earlier} are later. {back} of {len(known) - 1} successive records go back to an "
        "earlier phase."
    )
    if not any(UNIT & set(one.event.details) for one in known):
        said += (
            " As no record identifies a unit, the order in which any one unit was processed cannot "
            "be reconstructed."
        )
    return Fact(
        said,
        evidence=(opening.evidence, *(one.evidence for one in missing)),
        batches=frozenset({batch.number}),
    )
