"""Say how large a batch is planned, and in which multiple of its recipe."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from batches.quantities import units
from batches.recipes.models import MasterRecipe
from compliance.refusals import Refused


class SizeInvalid(Refused):
    code = "batch-size-invalid"
    status = 422


@dataclass(frozen=True)
class Size:
    """How much a batch is planned to make, in the unit of the recipe's batch size."""

    quantity: Decimal
    unit: str


def of(recipe: MasterRecipe) -> Size | None:
    return None if recipe.batch_size is None else Size(recipe.batch_size, recipe.batch_size_unit)


def scale(recipe: MasterRecipe, size: Size | None) -> Decimal:
    """Return the planned size in multiples of the recipe's, in its very unit."""
    if size is None:
        return Decimal(1)
    if recipe.batch_size is None:
        raise SizeInvalid(f"{recipe} states no batch size: a batch of it has the recipe's own")
    units.demand_same(size.unit, declared=recipe.batch_size_unit, what="the planned size")
    if not size.quantity.is_finite() or size.quantity <= 0:
        raise SizeInvalid(f"a batch of {size.quantity} {size.unit} is none")
    exact = Fraction(size.quantity) / Fraction(recipe.batch_size)
    found = units.as_decimal(exact)
    if found is None or found != found.quantize(Decimal("0.000001")) or found >= 1_000_000:
        raise SizeInvalid(
            f"{size.quantity:f} is no multiple of {recipe.batch_size.normalize():f} {size.unit} "
            "with at most six decimals: plan another size"
        )
    return found
