"""Read a version's whole content, and the digest that batches and documents carry of it."""

import hashlib
from collections.abc import Mapping

from batches.recipes import parts
from batches.recipes.models import CONTENT_FORM, MasterRecipe
from batches.recipes.parts import KINDS
from compliance.signatures import signing
from compliance.trail.tlog import canonical

REGISTERED = ("strength", "dosage_form", "shelf_life_months")
HEADER = (
    "title", "dosage_unit", "batch_size", "batch_size_unit", "specification",
    "specification_version", "storage", "precautions", "change_number", "change_summary", "twin",
)  # fmt: skip


@signing.signable(MasterRecipe)
def content(recipe: MasterRecipe) -> Mapping[str, canonical.Value]:
    """Everything of a recipe that a batch follows; the digest of an issued copy is taken of this."""
    return whole(recipe) if recipe.content_form == CONTENT_FORM else _first_form(recipe)


def whole(recipe: MasterRecipe) -> dict[str, canonical.Value]:
    """Return the content in the present form, also of recipes whose digest is of an earlier one."""
    return {
        "product": recipe.product.code,
        "product_name": recipe.product_name,
        **{name: parts.plain(getattr(recipe, name)) for name in (*REGISTERED, *HEADER)},
        "version": recipe.version,
        "author": recipe.author.username,
        "twin_settings": recipe.twin_settings,
        **{kind.name: parts.content(recipe, kind) for kind in KINDS.values()},
    }


def digest(recipe: MasterRecipe) -> str:
    """Return the SHA-256 of a recipe's content: what a batch is issued against."""
    return digest_of(content(recipe), form=recipe.content_form)


def digest_of(content: Mapping[str, canonical.Value], *, form: int) -> str:
    """Return the SHA-256 of a content in one of its forms."""
    tag = f"gmp-recipe/content/v{form}\0".encode()
    return hashlib.sha256(tag + canonical.dumps(dict(content))).hexdigest()


def _first_form(recipe: MasterRecipe) -> Mapping[str, canonical.Value]:
    """Return the content of a recipe that was drafted before recipes had all their parts."""
    fields = (
        "tag", "name", "kind", "unit", "criticality", "is_required", "low", "high", "target",
    )  # fmt: skip
    return {
        "product": recipe.product.code,
        "version": recipe.version,
        "title": recipe.title,
        "author": recipe.author.username,
        "twin": recipe.twin,
        "twin_settings": recipe.twin_settings,
        "phases": [
            [phase.order, phase.unit_procedure, phase.name]
            for phase in recipe.phases.order_by("order")
        ],
        "parameters": [
            {name: parts.plain(getattr(parameter, name)) for name in fields}
            for parameter in recipe.parameters.order_by("tag")
        ],
    }
