"""DI-03: compare every row of every controlled table with what the trail says it must be."""

from compliance.inspection import outcomes, wording
from compliance.inspection.checks import trail_faults
from compliance.inspection.outcomes import Evidence, Fact, Outcome
from compliance.inspection.registry import CHECKS, Parameters
from compliance.inspection.snapshots import Snapshot
from compliance.trail import capture
from compliance.trail.findings import Fault
from compliance.trail.verified_checkpoints import NotAssessable


@CHECKS.register("DI-03")
def check(snapshot: Snapshot, parameters: Parameters) -> Outcome:
    """Report rows that changed, came or went without an entry, and capture that was disabled."""
    tables = len(list(capture.controls()))
    try:
        report = snapshot.verification
    except NotAssessable as error:
        return outcomes.not_assessable(f"The records could not be compared: {error}.")
    faults = trail_faults.of_the_records(report)
    facts = [
        Fact(trail_faults.sentence(fault), evidence=_evidence(fault))
        for fault in faults[: trail_faults.SHOWN]
    ]
    concerned = {_table(fault) for fault in faults}
    remark = trail_faults.more(faults)
    if not facts:
        remark = f"Every row of {wording.count(tables, 'controlled table')} agrees with the trail."
    return outcomes.judged(
        facts, examined=tables, failing=min(len(concerned), tables), remark=remark
    )


def _table(fault: Fault) -> str:
    return (fault.record or fault.message).split(" ")[0].rstrip(":")


def _evidence(fault: Fault) -> tuple[Evidence, ...]:
    if fault.record is None:
        return ()
    table, _, record_id = fault.record.partition(" ")
    return (Evidence(table, record_id),)
