"""LB-06: ask for the second person who reviewed laboratory results (211.194(a)(8))."""

from batches.laboratory.models import Result
from compliance.inspection import outcomes, wording
from compliance.inspection.outcomes import Outcome
from compliance.inspection.registry import CHECKS, Parameters
from compliance.inspection.snapshots import Snapshot


@CHECKS.register("LB-06")
def check(snapshot: Snapshot, parameters: Parameters) -> Outcome:
    """Say that a review cannot be seen: results come from the laboratory's system without it."""
    number = snapshot.rows(Result).count()
    if not number:
        return outcomes.not_applicable("No result is in scope.")
    return outcomes.not_assessable(
        f"{wording.count(number, 'result')} came from the laboratory's system, which does not send "
        "the review; ask for it there.",
        examined=number,
    )
