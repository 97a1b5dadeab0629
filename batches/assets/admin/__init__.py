"""Equipment, materials and lots in the admin: pages that show, and forms that act."""

from batches.assets.admin import (
    care,
    care_acts,
    equipment,
    equipment_acts,
    lot_acts,
    lots,
    materials,
)

__all__ = [
    "care",
    "care_acts",
    "equipment",
    "equipment_acts",
    "lot_acts",
    "lots",
    "materials",
]
