"""Answer the recipes whether a specification that they name is effective for their product."""

from batches.laboratory.models import (
    Specification,
    SpecificationState,
    SpecificationUse,
    SpecificationVersion,
)
from batches.recipes import specified
from batches.recipes.models import Product


@specified.register
def objection(product: Product, code: str, version: str, is_of_product: bool) -> str:
    """Return why not, or the empty text; the trigger `keep_specified` asks the same."""
    found = Specification.objects.filter(code=code).first()
    if found is None:
        return f"there is no specification {code}"
    if found.product_id != product.pk:
        return f"specification {code} is not of {product.code}"
    if is_of_product and found.use != SpecificationUse.RELEASE:
        return f"specification {code} is for {found.get_use_display().lower()}, not for release"
    number = int(version) if version.isdecimal() else 0
    stored = SpecificationVersion.objects.filter(specification=found, version=number).first()
    if stored is None:
        return f"specification {code} has no version “{version}”"
    if stored.state != SpecificationState.EFFECTIVE:
        return f"{stored} is {stored.get_state_display().lower()}, not effective"
    return ""
