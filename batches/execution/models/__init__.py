"""Batches as they were made: what was issued, what happened, what people entered (ISA-88)."""

from batches.execution.models.batches import (
    LATE_AFTER,
    Batch,
    BatchEvent,
    BatchPhase,
    BatchState,
    DispositionState,
    EventKind,
    PhaseState,
)
from batches.execution.models.copies import (
    BatchLabel,
    BatchMaterial,
    BatchParameter,
    BatchSampling,
    BatchYield,
    EquipmentNeed,
    IssuedCopy,
)
from batches.execution.models.entries import (
    BatchFile,
    Calculation,
    Examination,
    ExaminationKind,
    InProcessResult,
    LabelUse,
    Purpose,
    Remark,
)
from batches.execution.models.exceptions import (
    NEEDS_DEVIATION,
    BatchException,
    ExceptionKind,
    ExceptionState,
)
from batches.execution.models.materials import (
    Charge,
    EquipmentAssignment,
    MaterialAccount,
    ProducedLot,
)
from batches.execution.models.readings import ReadingSegment

__all__ = [
    "LATE_AFTER",
    "NEEDS_DEVIATION",
    "Batch",
    "BatchEvent",
    "BatchException",
    "BatchFile",
    "BatchLabel",
    "BatchMaterial",
    "BatchParameter",
    "BatchPhase",
    "BatchSampling",
    "BatchState",
    "BatchYield",
    "Calculation",
    "Charge",
    "DispositionState",
    "EquipmentAssignment",
    "EquipmentNeed",
    "EventKind",
    "Examination",
    "ExaminationKind",
    "ExceptionKind",
    "ExceptionState",
    "InProcessResult",
    "IssuedCopy",
    "LabelUse",
    "MaterialAccount",
    "PhaseState",
    "ProducedLot",
    "Purpose",
    "ReadingSegment",
    "Remark",
]
