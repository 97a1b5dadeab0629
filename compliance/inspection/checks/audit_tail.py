"""DI-02: compare the audit trail with the checkpoints that were signed and published."""

from django.db import connection

from compliance.inspection import outcomes, wording
from compliance.inspection.checks import trail_faults
from compliance.inspection.outcomes import Fact, Outcome
from compliance.inspection.registry import CHECKS, Parameters
from compliance.inspection.snapshots import Snapshot
from compliance.trail.verified_checkpoints import NotAssessable


@CHECKS.register("DI-02")
def check(snapshot: Snapshot, parameters: Parameters) -> Outcome:
    """Report a log that is shorter than, or different from, what was signed."""
    try:
        report = snapshot.verification
    except NotAssessable as error:
        return outcomes.not_assessable(f"The checkpoints could not be verified: {error}.")
    faults = trail_faults.of_the_checkpoints(report)
    signed = _signed(snapshot)
    if not signed and not faults:
        return outcomes.not_assessable(
            "No checkpoint had been signed; a cut-off end of the trail could not be noticed."
        )
    examined = max(signed, len(faults))
    facts = [Fact(trail_faults.sentence(fault)) for fault in faults[: trail_faults.SHOWN]]
    remark = trail_faults.more(faults)
    if not facts:
        remark = (
            f"{wording.count(signed, 'signed checkpoint')} compared with the root that the stored "
            "entries give."
        )
    return outcomes.judged(facts, examined=examined, failing=len(faults), remark=remark)


def _signed(snapshot: Snapshot) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM audit.checkpoint WHERE signed_at <= %s", [snapshot.as_of]
        )
        (found,) = cursor.fetchone()
    return int(found)
