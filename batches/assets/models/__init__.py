"""Assets: the equipment a plant works with, and the materials it works on."""

from batches.assets.models.care import (
    Calibration,
    Cleaning,
    CleaningOutcome,
    EquipmentUse,
    PartChange,
    Qualification,
    Stage,
)
from batches.assets.models.equipment import CleaningState, Equipment, EquipmentState
from batches.assets.models.lots import (
    LotComponent,
    LotState,
    MaterialLot,
    Movement,
    MovementKind,
    StockCount,
)
from batches.assets.models.materials import Material, MaterialKind, Supplier, SupplierApproval

__all__ = [
    "Calibration", "Cleaning", "CleaningOutcome", "CleaningState", "Equipment", "EquipmentState",
    "EquipmentUse", "LotComponent", "LotState", "Material", "MaterialKind", "MaterialLot",
    "Movement", "MovementKind", "PartChange", "Qualification", "Stage", "StockCount", "Supplier",
    "SupplierApproval",
]  # fmt: skip
