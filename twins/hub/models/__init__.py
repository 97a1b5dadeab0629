"""Records of the twin hub: versions of models, their dossiers, test sets, qualifications, watch."""

from twins.hub.models.drifts import DriftCheck, DriftFinding, DriftKind
from twins.hub.models.qualifications import (
    AnsweredBy,
    Criterion,
    Qualification,
    QualificationState,
    RunOutcome,
    TestRun,
)
from twins.hub.models.sealed_sets import CustodyLook, SealedBatch, SealedTestSet
from twins.hub.models.versions import (
    ModelDossier,
    ModelVersion,
    Trainer,
    TrainingBatch,
    VersionState,
)

__all__ = [
    "AnsweredBy",
    "Criterion",
    "CustodyLook",
    "DriftCheck",
    "DriftFinding",
    "DriftKind",
    "ModelDossier",
    "ModelVersion",
    "Qualification",
    "QualificationState",
    "RunOutcome",
    "SealedBatch",
    "SealedTestSet",
    "TestRun",
    "Trainer",
    "TrainingBatch",
    "VersionState",
]
