"""Products and master recipes with all their parts (ISA-88, ICH Q8, 21 CFR 211.186)."""

from batches.recipes.models.process import (
    Criticality,
    Parameter,
    ParameterKind,
    RecipePhase,
)
from batches.recipes.models.products import Product
from batches.recipes.models.recipes import CONTENT_FORM, MasterRecipe, RecipeState
from batches.recipes.models.requirements import (
    EquipmentRequirement,
    ExpectedYield,
    LabelRequirement,
    MaterialKind,
    MaterialRequirement,
    SamplingPoint,
)

__all__ = [
    "CONTENT_FORM",
    "Criticality",
    "EquipmentRequirement",
    "ExpectedYield",
    "LabelRequirement",
    "MasterRecipe",
    "MaterialKind",
    "MaterialRequirement",
    "Parameter",
    "ParameterKind",
    "Product",
    "RecipePhase",
    "RecipeState",
    "SamplingPoint",
]
