"""What the batch record objects to a release: items it lacks, and exceptions nobody assessed."""

from batches.execution import blockers, completeness
from batches.execution.models import Batch

# Other blockers say these with their own words: phases not executed, values missing, deviations.
_SAID_ELSEWHERE = frozenset({"(b)(1)", "(b)(5)"})


@blockers.register("record-incomplete", clause="21 CFR 211.188(b)")
def incomplete(batch: Batch) -> list[str]:
    return [
        f"{one.clause}: {one.text}"
        for one in completeness.of(batch)
        if one.clause not in _SAID_ELSEWHERE
    ]
