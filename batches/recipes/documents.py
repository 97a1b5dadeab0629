"""Write a version as a document for other systems, and read one in as a new draft."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, DecimalException
from typing import Any

from batches.recipes import master_recipes, parts
from batches.recipes.contents import HEADER, REGISTERED
from batches.recipes.drafts import RecipeDraft
from batches.recipes.master_recipes import RecipeInvalid
from batches.recipes.models import CONTENT_FORM, MasterRecipe, Product
from batches.recipes.parts import KINDS
from compliance.access.models import User
from compliance.refusals import Refused
from compliance.trail.tlog import canonical

FORMAT = "gmp-recipe/v{form}"
# What a content says beside what a person writes: whose version it is.
_OF_VERSION = ("product", "product_name", "version", "author", *REGISTERED)


class DocumentAltered(Refused):
    """The content is not the one that the document's digest was taken of (21 CFR 11.30)."""

    code = "recipe-document-altered"
    status = 422


def export(recipe: MasterRecipe) -> bytes:
    """Return a version as canonical JSON: its content, and the digest that batches carry."""
    return canonical.dumps(
        {
            "format": FORMAT.format(form=recipe.content_form),
            "content": dict(master_recipes.content(recipe)),
            "digest": master_recipes.digest(recipe),
        }
    )


def take(document: Mapping[str, Any], *, actor: User, at: datetime) -> MasterRecipe:
    """Draft a version from a document of this or another installation.

    The product is found by its code and has to be registered; number and author are new.
    """
    form, content = FORMAT.format(form=CONTENT_FORM), document["content"]
    if document["format"] != form:
        raise RecipeInvalid(f"the format is {document['format']}; {form} is what is read here")
    try:
        found = master_recipes.digest_of(content, form=CONTENT_FORM)
    except canonical.NotCanonical as error:
        raise RecipeInvalid(f"the content has no canonical form: {error}") from error
    if found != document["digest"]:
        raise DocumentAltered(
            f"the content has the digest {found}, the document says {document['digest']}: "
            "ask its sender for it again"
        )
    product = Product.objects.filter(code=content.get("product")).first()
    if product is None:
        raise RecipeInvalid(f"there is no product {content.get('product')}; register it first")
    return master_recipes.draft(product, content=read(content), actor=actor, at=at)


def revise(
    recipe: MasterRecipe, *, content: Mapping[str, Any], actor: User, at: datetime, reason: str
) -> MasterRecipe:
    """Write a draft anew from a content, as it was read and then edited."""
    present = master_recipes.whole(recipe)
    foreign = [name for name in _OF_VERSION if name in content and content[name] != present[name]]
    if foreign:
        raise RecipeInvalid(f"not written here, but given by the version: {', '.join(foreign)}")
    return master_recipes.revise(recipe, content=read(content), actor=actor, at=at, reason=reason)


def read(content: Mapping[str, Any]) -> RecipeDraft:
    """Return what a person would have written for a content; raise `RecipeInvalid`."""
    known = {*_OF_VERSION, *HEADER, *KINDS, "twin_settings"}
    unknown = sorted(set(content) - known)
    if unknown:
        raise RecipeInvalid(f"a recipe has nothing named {', '.join(unknown)}")
    values: dict[str, Any] = {name: content[name] for name in HEADER if name in content}
    try:
        values["batch_size"] = _decimal(content.get("batch_size"))
        for kind in KINDS.values():
            values[kind.name] = parts.drafts(kind, content.get(kind.name, ()))
        return RecipeDraft(**values, twin_settings=content.get("twin_settings", {}))
    except (KeyError, TypeError, DecimalException) as error:
        raise RecipeInvalid(f"this is no content of a recipe: {error}") from error


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
