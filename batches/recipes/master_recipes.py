"""Draft master recipes, copy versions, and revise the drafts (21 CFR 211.186)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from batches.assets.models import Material
from batches.quantities import units
from batches.recipes import parts, products, states, validity
from batches.recipes.actions import Action
from batches.recipes.contents import (
    HEADER,
    REGISTERED,
    content,
    digest,
    digest_of,
    whole,
)
from batches.recipes.drafts import ParameterDraft, RecipeDraft
from batches.recipes.models import CONTENT_FORM, MasterRecipe, Product, RecipePhase
from batches.recipes.parts import KINDS, Kind, References
from batches.recipes.states import RecipeNotDraft, Step
from compliance.access import authority
from compliance.access.duties import Duty
from compliance.access.models import Procedure, User
from compliance.refusals import Refused
from compliance.trail import recording

__all__ = [  # the words of other rooms for a draft, and what may refuse it
    "ParameterDraft", "RecipeDraft", "RecipeInvalid", "RecipeNotDraft", "content", "copy",
    "create_product", "digest", "digest_of", "draft", "present", "revise", "whole",
]  # fmt: skip
create_product = products.create


class RecipeInvalid(Refused):
    """What is written cannot be a recipe: a part names what is not there, or is there twice."""

    code = "recipe-invalid"
    status = 422


class NotTheAuthor(Refused):
    """One person prepares a version (21 CFR 211.186(a)); others copy it into their own."""

    code = "not-the-author"
    status = 403


def draft(product: Product, *, content: RecipeDraft, actor: User, at: datetime) -> MasterRecipe:
    """Write a new version of a product's recipe; it has no effect until it is approved."""
    return _draft(product, written=content, based_on=None, actor=actor, at=at)


def copy(
    recipe: MasterRecipe, *, change_number: str, change_summary: str, actor: User, at: datetime
) -> MasterRecipe:
    """Draft the next version of a product's recipe from any version of it."""
    written = present(recipe, change_number=change_number, change_summary=change_summary)
    return _draft(recipe.product, written=written, based_on=recipe, actor=actor, at=at)


def _draft(
    product: Product, *, written: RecipeDraft, based_on: MasterRecipe | None,
    actor: User, at: datetime,
) -> MasterRecipe:  # fmt: skip
    authority.demand(actor, Duty.AUTHOR_RECIPE)
    _demand_valid(written)
    with recording.recording(
        Action.RECIPE_DRAFTED, actor=actor, at=at, reason=f"draft for {product.code}"
    ):
        held = Product.objects.select_for_update(no_key=True).get(pk=product.pk)
        last = held.recipes.order_by("-version").first()
        recipe = MasterRecipe(
            product=held,
            version=last.version + 1 if last else 1,
            author=actor,
            based_on=based_on,
            drafted_at=at,
        )
        _write_header(recipe, written)
        recipe.save()
        references = _references(recipe, written)
        _demand_convertible(written, references)
        for kind in KINDS.values():
            _write_lines(recipe, kind, written, references)
    return recipe


def revise(
    recipe: MasterRecipe, *, content: RecipeDraft, actor: User, at: datetime, reason: str
) -> MasterRecipe:
    """Write a draft anew: lines are matched by their keys, and only what differs is touched.

    A line taken out of a draft is removed from its table; the trail keeps it, with the reason.
    """
    authority.demand(actor, Duty.AUTHOR_RECIPE)
    text = recording.demand_reason(reason)
    _demand_valid(content)
    with recording.recording(Action.RECIPE_REVISED, actor=actor, at=at, reason=text):
        held = states.take(recipe, Step.REVISE)
        demand_author(held, actor)
        _write_header(held, content)
        held.revised_at = at  # an entry of the recipe leads to those of its lines, by the act
        held.save()
        references = _references(held, content)
        _demand_convertible(content, references)
        gone = [_write_lines(held, kind, content, references) for kind in KINDS.values()]
        for rows in reversed(gone):  # phases last: the others point to them
            for row in rows:
                row.delete()
    return held


def demand_author(recipe: MasterRecipe, actor: User) -> None:
    """Pass when the actor is the recipe's author, else raise `NotTheAuthor`."""
    if actor.pk != recipe.author_id:
        raise NotTheAuthor(
            f"{recipe} is written by {recipe.author}; copy it to draft a version of your own"
        )


def present(recipe: MasterRecipe, **changed: Any) -> RecipeDraft:
    """Return what a person would have written for a version, with some values changed."""
    header = {name: getattr(recipe, name) for name in HEADER}
    lines = {kind.name: parts.drafts(kind, parts.content(recipe, kind)) for kind in KINDS.values()}
    return RecipeDraft(**{**header, "twin_settings": recipe.twin_settings, **lines, **changed})


def refresh_registered(recipe: MasterRecipe) -> None:
    """Copy what is registered of the product now into a draft that is about to be saved."""
    recipe.content_form = CONTENT_FORM
    recipe.product_name = recipe.product.name
    for name in REGISTERED:
        setattr(recipe, name, getattr(recipe.product, name))


# --- Writing rows


def _write_header(recipe: MasterRecipe, written: RecipeDraft) -> None:
    refresh_registered(recipe)
    for name in HEADER:
        setattr(recipe, name, getattr(written, name))
    recipe.twin_settings = dict(written.twin_settings)


def _write_lines(
    recipe: MasterRecipe, kind: Kind, written: RecipeDraft, references: References
) -> list[Any]:
    """Create and change the rows of one kind; return the rows that are not written any more."""
    rows = {parts.key_of_row(kind, row): row for row in parts.rows(recipe, kind)}
    for order, line in enumerate(_lines(written, kind), start=1):
        wanted = parts.columns(kind, line, references=references, order=order)
        row = rows.pop(kind.key_of(vars(line)), None) or kind.model(recipe=recipe)
        if row.pk is None or any(getattr(row, name) != value for name, value in wanted.items()):
            for name, value in wanted.items():
                setattr(row, name, value)
            row.save()
        if isinstance(row, RecipePhase):
            references.phase[row.label] = row
    return list(rows.values())


def _references(recipe: MasterRecipe, written: RecipeDraft) -> References:
    """Find what the lines name; raise `RecipeInvalid` for a material or procedure nobody knows."""
    materials = {line.material for line in written.materials}
    procedures = {line.procedure for line in written.whole_phases} - {""}
    found = References(
        phase={phase.label: phase for phase in recipe.phases.all()},
        material={one.code: one for one in Material.objects.filter(code__in=materials)},
        procedure={one.code: one for one in Procedure.objects.filter(code__in=procedures)},
    )
    unknown = sorted(materials - set(found.material)) + sorted(procedures - set(found.procedure))
    if unknown:
        raise RecipeInvalid(
            f"not registered: {', '.join(unknown)}; enter the material or procedure first"
        )
    return found


def _demand_convertible(written: RecipeDraft, references: References) -> None:
    """A line is in a unit of what its material is counted in: g for kg, and never L for kg."""
    errors = []
    for line in written.materials:
        counted = references.material[line.material].unit
        try:
            units.demand_convertible(line.unit, to=counted)
        except Refused as refused:
            errors.append(
                f"material {line.line}: {line.material} is counted in {counted}, the line is in "
                f"{line.unit or 'no unit'}: {refused}"
            )
    if errors:
        raise RecipeInvalid("; ".join(errors))


def _lines(written: RecipeDraft, kind: Kind) -> Sequence[Any]:
    return written.whole_phases if kind.name == "phases" else getattr(written, kind.name)


def _demand_valid(written: RecipeDraft) -> None:
    errors = validity.problems(written)
    labels = {phase.label for phase in written.whole_phases}
    if not labels:
        errors.append("a master recipe needs at least one phase")
    for kind in KINDS.values():
        keys = [kind.key_of(vars(line)) for line in _lines(written, kind)]
        errors += [f"{kind.singular} {key} is there twice" for key in _twice(keys)]
        errors += [
            f"{kind.singular} {kind.key_of(vars(line))} names a phase “{line.phase}” "
            "that is not in the recipe"
            for line in _lines(written, kind)
            if getattr(line, "phase", "") and line.phase not in labels
        ]
    if errors:
        raise RecipeInvalid("; ".join(errors))


def _twice(keys: Sequence[str]) -> list[str]:
    return sorted({key for key in keys if keys.count(key) > 1})
