"""DI-10: find two batches whose recorded measurements are the same, value for value."""

from decimal import Decimal
from itertools import combinations

from batches.execution.inspection import measured
from compliance.inspection import outcomes, wording
from compliance.inspection.outcomes import Fact, Outcome
from compliance.inspection.registry import CHECKS, Parameters
from compliance.inspection.snapshots import Snapshot


@CHECKS.register("DI-10")
def check(snapshot: Snapshot, parameters: Parameters) -> Outcome:
    """Report pairs of batches with nearly all measurements equal, in the order of recording."""
    least, share = int(str(parameters["at_least"])), int(str(parameters["share_percent"]))
    distinct = int(str(parameters["distinct_at_least"]))
    values: dict[str, list[tuple[str, str, Decimal]]] = {}
    evidence = {}
    for batch, found in measured.of(snapshot).items():
        if len(found) >= least:
            values[batch] = [(one.event.phase, one.event.tag, one.value) for one in found]
            evidence[batch] = (found[0].evidence, found[-1].evidence)
    pairs = list(combinations(sorted(values), 2))
    if not pairs:
        return outcomes.not_applicable(
            f"Fewer than two batches in scope have {least} recorded measurements to compare."
        )
    facts = []
    for one, other in pairs:
        compared = list(zip(values[one], values[other], strict=False))
        same = [left for left, right in compared if left == right]
        if len({value for _, _, value in same}) < distinct or len(compared) < least:
            continue
        if 100 * len(same) >= share * len(compared):
            facts.append(
                Fact(
                    f"Measurements of batches {one} and {other} are identical in {len(same)} of "
                    f"{len(compared)} compared in their order.",
                    evidence=(*evidence[one], *evidence[other]),
                    batches=frozenset({one, other}),
                )
            )
    if not facts:
        return outcomes.clean(examined=len(pairs))
    return outcomes.finding(
        facts,
        examined=len(pairs),
        failing=len(facts),
        indicator=f"{wording.count(len(facts), 'pair')} of batches share their measured values.",
    )
