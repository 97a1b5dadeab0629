"""Copy a recipe into a batch, word for word, with its quantities scaled (21 CFR 211.188(a))."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.db import models

from batches.execution.models import (
    Batch,
    BatchLabel,
    BatchMaterial,
    BatchParameter,
    BatchPhase,
    BatchSampling,
    BatchYield,
    EquipmentNeed,
    IssuedCopy,
)
from batches.quantities import calculations
from batches.quantities.units import Quantity, Rounding
from batches.recipes import master_recipes
from batches.recipes.models import MasterRecipe

PLACES = 6  # of a scaled quantity
_SCALED = frozenset({"materials", "yields"})
# The recipe's relation, and the batch's own table of the same lines.
_PARTS: tuple[tuple[str, type[models.Model]], ...] = (
    ("parameters", BatchParameter),
    ("materials", BatchMaterial),
    ("yields", BatchYield),
    ("sampling", BatchSampling),
    ("equipment", EquipmentNeed),
    ("labels", BatchLabel),
)
_PHASE = (
    "order", "unit_procedure", "operation", "name", "instruction", "duration_min",
    "hold_limit_min", "needs_verification", "equipment_kind", "parallel_group",
)  # fmt: skip


class CopyDiffers(Exception):
    """The copy just written does not have the recipe's digest: the program is wrong."""


def copy(recipe: MasterRecipe, batch: Batch) -> None:
    """Write everything a batch follows into its own rows, inside the act that issues it."""
    kept = IssuedCopy.objects.create(batch=batch, content=dict(master_recipes.content(recipe)))
    if digest(IssuedCopy.objects.get(pk=kept.pk), recipe) != batch.recipe_digest:
        raise CopyDiffers(f"{batch.number} is no exact copy of {recipe}")
    originals = list(recipe.phases.select_related("procedure").order_by("order"))
    BatchPhase.objects.bulk_create(_phase(batch, one) for one in originals)
    copied = {one.recipe_phase_id: one for one in batch.phases.all()}
    for name, model in _PARTS:
        rows = getattr(recipe, name).order_by("pk")
        if name == "materials":
            rows = rows.select_related("material")
        model._default_manager.bulk_create(
            _line(model, batch, row, copied, is_scaled=name in _SCALED) for row in rows
        )


def digest(kept: IssuedCopy, recipe: MasterRecipe) -> str:
    """Return the digest of the copied content itself, as the recipe takes its own."""
    return master_recipes.digest_of(kept.content, form=recipe.content_form)


def is_exact(batch: Batch) -> bool:
    """Say whether batch, copy and recipe still have one digest."""
    kept = IssuedCopy.objects.filter(batch=batch).first()
    return (
        kept is not None
        and digest(kept, batch.recipe) == batch.recipe_digest
        and master_recipes.digest(batch.recipe) == batch.recipe_digest
    )


def scaled(quantity: Decimal, unit: str, scale: Decimal) -> Decimal:
    """Return a quantity of the recipe times the batch's scale, computed twice."""
    if scale == 1:
        return quantity
    return calculations.compute(
        "scaled-quantity",
        inputs={"quantity": [Quantity(quantity, unit)], "scale": [Quantity(scale, "1")]},
        places=PLACES,
        rounding=Rounding.HALF_EVEN,
    ).value


def _phase(batch: Batch, original: Any) -> BatchPhase:
    return BatchPhase(
        batch=batch,
        recipe_phase=original,
        procedure="" if original.procedure is None else original.procedure.code,
        **{name: getattr(original, name) for name in _PHASE},
    )


def _line(
    model: type[models.Model], batch: Batch, row: Any, phases: Mapping[int, BatchPhase], *,
    is_scaled: bool,
) -> models.Model:  # fmt: skip
    """Return one line of the copy: each column that the recipe's line has too."""
    made = model(batch=batch)
    for field in model._meta.concrete_fields:
        if field.name == "phase":
            made.phase = phases.get(row.phase_id)  # type: ignore[attr-defined]
        elif field.name == "material_code":
            made.material_code = row.material.code  # type: ignore[attr-defined]
        elif not field.primary_key and field.name != "batch":
            setattr(made, field.name, getattr(row, field.name))
    if is_scaled:
        made.quantity = scaled(row.quantity, row.unit, batch.scale)  # type: ignore[attr-defined]
    return made
