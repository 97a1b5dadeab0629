"""Keep which causes an investigation considered, and how each was ruled out (EU GMP Chapter 8)."""

from datetime import datetime

from compliance.access.models import User
from compliance.quality.actions import Action
from compliance.quality.gaps import DeviationIncomplete
from compliance.quality.models import CauseConsidered, Deviation, Finding, RootCause
from compliance.quality.states import DEVIATION, OfDeviation
from compliance.trail import recording


def consider(
    deviation: Deviation, *, category: RootCause, cause: str, finding: Finding, how: str,
    actor: User, at: datetime,
) -> CauseConsidered:  # fmt: skip
    """Record one possible cause, what became of it, and by which evidence; it is never altered."""
    DEVIATION.permit(actor, OfDeviation.CONSIDER_CAUSE)
    cause, how = cause.strip(), how.strip()
    if category == RootCause.UNKNOWN or len(cause) < 8 or len(how) < 15:
        raise DeviationIncomplete(
            "a cause that was considered has a category, is named in 8 characters or more, and says "
            "in 15 or more how it was found or ruled out"
        )
    with recording.recording(
        Action.CAUSE_CONSIDERED, actor=actor, at=at, reason=f"{category.label}: {finding.label}"
    ):
        held = DEVIATION.take(deviation, OfDeviation.CONSIDER_CAUSE)
        return CauseConsidered.objects.create(
            deviation=held, category=category, cause=cause, finding=finding, how=how,
            considered_by=actor, considered_at=at,
        )  # fmt: skip
