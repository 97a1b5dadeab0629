"""BR-01: ask of each recorded measurement what it must say beside its value (211.188(b))."""

from collections.abc import Callable

from batches.execution.inspection import measured
from batches.execution.inspection.measured import Measured
from compliance.inspection import outcomes
from compliance.inspection.outcomes import Fact, Outcome
from compliance.inspection.registry import CHECKS, Parameters
from compliance.inspection.snapshots import Snapshot

EQUIPMENT = frozenset({"equipment", "equipment_id", "instrument", "instrument_id", "scale"})
UNIT = frozenset({"unit_id", "vial", "vial_id", "serial", "container", "sample"})

_LACKS: tuple[tuple[Callable[[Measured], bool], str], ...] = (
    (
        lambda one: not EQUIPMENT & set(one.event.details),
        "{none} names the equipment or instrument used (21 CFR 211.188(b)(2))",
    ),
    (
        lambda one: not UNIT & set(one.event.details),
        "{none} identifies the unit measured, so no value can be traced to one unit",
    ),
    (
        lambda one: one.event.is_zone_assumed,
        "{all} give their time without a time zone; the zone was assumed when they were taken over",
    ),
    (
        lambda one: one.event.sent_at is None,
        "{none} shows when it was entered at the source, beside when it is said to have happened",
    ),
    (
        lambda one: not one.event.performed_by,
        "{none} names the person who performed it (21 CFR 211.188(b)(11))",
    ),
)


@CHECKS.register("BR-01")
def check(snapshot: Snapshot, parameters: Parameters) -> Outcome:
    """Report what the measurements of a batch leave out."""
    least = int(str(parameters["at_least"]))
    facts: list[Fact] = []
    incomplete: set[int] = set()
    examined = 0
    for batch, found in measured.of(snapshot).items():
        if len(found) < least:
            continue
        examined += len(found)
        for lacks, words in _LACKS:
            lacking = [one for one in found if lacks(one)]
            if lacking:
                incomplete |= {one.event.pk for one in lacking}
                facts.append(_fact(batch, lacking, len(found), words))
    if not examined:
        return outcomes.not_applicable(f"No batch in scope has {least} recorded measurements.")
    return outcomes.judged(facts, examined=examined, failing=len(incomplete))


def _fact(batch: str, lacking: list[Measured], total: int, words: str) -> Fact:
    if len(lacking) == total:
        subjects = {
            "none": f"None of the {total} measurements",
            "all": f"All {total} measurements",
        }
    else:
        some = f"{len(lacking)} of the {total} measurements"
        words = words.replace("{none} names", "{none} do not name")
        words = words.replace("{none} identifies", "{none} do not identify")
        words = words.replace("{none} shows", "{none} do not show")
        subjects = {"none": some, "all": some}
    said = words.format(**subjects)
    first, last = lacking[0], lacking[-1]
    return Fact(
        f"Batch {batch}: {said[0].lower()}{said[1:]}; recorded from {first.when} to {last.when}.",
        evidence=(first.evidence, last.evidence) if first is not last else (first.evidence,),
        batches=frozenset({batch}),
    )
