"""The records of the quality system, by what they are about."""

from compliance.quality.models.capas import (
    Capa,
    CapaAction,
    CapaKind,
    CapaSource,
    CapaState,
    EffectivenessCheck,
)
from compliance.quality.models.changes import (
    Approval,
    Change,
    ChangeClass,
    ChangeState,
    ChangeTask,
    Impact,
    ImpactKind,
)
from compliance.quality.models.deviations import (
    ENDED,
    Category,
    Deviation,
    DeviationNote,
    DeviationState,
    Origin,
    Reminder,
    RootCause,
    Severity,
)
from compliance.quality.models.investigations import (
    CauseConsidered,
    Classification,
    Effect,
    Escalation,
    Extension,
    Finding,
    Neighbour,
    RecurrenceAnswer,
)
from compliance.quality.models.reviews import PeriodicReview, ReviewState
from compliance.quality.models.risks import (
    Dimension,
    FailureMode,
    Rating,
    Risk,
    RiskReview,
    RiskState,
    Scale,
    ScaleLevel,
)
from compliance.quality.models.trail_reviews import (
    EntryOutcome,
    SampledEntry,
    TrailReview,
    TrailReviewState,
)

__all__ = [
    "ENDED", "Approval", "Capa", "CapaAction", "CapaKind", "CapaSource", "CapaState", "Category",
    "CauseConsidered", "Change", "ChangeClass", "ChangeState", "ChangeTask", "Classification",
    "Deviation", "DeviationNote", "DeviationState", "Dimension",
    "Effect", "EffectivenessCheck", "EntryOutcome", "Escalation", "Extension", "FailureMode",
    "Finding", "Impact", "ImpactKind", "Neighbour", "Origin", "PeriodicReview", "Rating",
    "RecurrenceAnswer", "Reminder", "ReviewState", "Risk", "RiskReview", "RiskState", "RootCause",
    "SampledEntry", "Scale", "ScaleLevel", "Severity", "TrailReview", "TrailReviewState",
]  # fmt: skip
