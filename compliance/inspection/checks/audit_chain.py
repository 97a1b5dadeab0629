"""DI-01: verify every entry, leaf and link of the audit trail."""

from compliance.inspection import entries, outcomes, wording
from compliance.inspection.checks import trail_faults
from compliance.inspection.outcomes import Fact, Outcome
from compliance.inspection.registry import CHECKS, Parameters
from compliance.inspection.snapshots import Snapshot
from compliance.trail.verified_checkpoints import NotAssessable


@CHECKS.register("DI-01")
def check(snapshot: Snapshot, parameters: Parameters) -> Outcome:
    """Report entries that were altered, removed, reordered or do not verify."""
    examined = entries.number(snapshot)
    if not examined:
        return outcomes.not_applicable("The audit trail has no entries.")
    try:
        report = snapshot.verification
    except NotAssessable as error:
        return outcomes.not_assessable(f"The audit trail could not be verified: {error}.")
    faults = trail_faults.of_the_chain(report)
    facts = [Fact(trail_faults.sentence(fault)) for fault in faults[: trail_faults.SHOWN]]
    if report.first is not None and report.first in faults:
        facts.insert(0, Fact(f"The first entry that does not verify is at {report.first.place}."))
    failing = min(len(faults), examined)
    remark = trail_faults.more(faults)
    if not facts:
        remark = (
            f"{wording.count(examined, 'entry', 'entries')} recomputed and in agreement: "
            "stored bytes, digests, order, chain and tree."
        )
    return outcomes.judged(facts, examined=examined, failing=failing, remark=remark)
