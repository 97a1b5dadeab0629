"""Say what a version names that is not in force: its change, its specifications (211.100, 211.160)."""

from collections.abc import Iterator

from batches.recipes import specified
from batches.recipes.completeness import Lack
from batches.recipes.models import MasterRecipe, RecipeState
from compliance.quality import changes
from compliance.refusals import Refused


class SpecificationNotEffective(Refused):
    """A recipe relies on a version of a specification that is effective for its product."""

    code = "specification-not-effective"


def lacking(recipe: MasterRecipe) -> list[Lack]:
    """Return what keeps a version from its approval, beside the reviews it needs."""
    return [*_change(recipe), *_specifications(recipe)]


def of_open(recipe: MasterRecipe) -> list[Lack]:
    """Return the same while the version can still be approved: what is in use has passed."""
    is_open = recipe.state in (RecipeState.DRAFT, RecipeState.IN_REVIEW)
    return lacking(recipe) if is_open else []


def demand(recipe: MasterRecipe) -> None:
    """Pass when everything that a version names is in force."""
    if _names_change(recipe):
        changes.demand_approved(recipe.change_number)
    if wrong := list(_specifications(recipe)):
        raise SpecificationNotEffective(
            f"{recipe}: {'; '.join(one.text for one in wrong)}. Have that version approved in the "
            "laboratory, or return the recipe and name the effective one"
        )


def _names_change(recipe: MasterRecipe) -> bool:
    """A first version may go without a change; what it names is held to the same all the same."""
    return recipe.version > 1 or bool(recipe.change_number)


def _change(recipe: MasterRecipe) -> Iterator[Lack]:
    number = recipe.change_number
    if number and not changes.is_approved(number):
        yield Lack("change-not-approved", "21 CFR 211.100(a)", f"the approval of change {number}")


def _specifications(recipe: MasterRecipe) -> Iterator[Lack]:
    named = [("", recipe.specification, recipe.specification_version, True)]
    named += [
        (f"sampling {one.name}: ", one.specification, one.specification_version, False)
        for one in recipe.sampling.exclude(specification="").order_by("name")
    ]
    for where, code, version, is_of_product in named:
        if not code:
            continue  # the header without one is lacking already
        why = specified.objection(
            recipe.product, code=code, version=version, is_of_product=is_of_product
        )
        if why:
            yield Lack("specification-not-effective", "21 CFR 211.160(a)", f"{where}{why}")
