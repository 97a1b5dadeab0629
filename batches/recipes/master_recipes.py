"""Draft master recipes and make them effective (21 CFR 211.186; EU GMP 4.17)."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from batches.recipes.actions import Action
from batches.recipes.models import (
    Criticality,
    MasterRecipe,
    Parameter,
    ParameterKind,
    Product,
    RecipePhase,
    RecipeState,
)
from compliance.access import authority
from compliance.access.duties import Duty
from compliance.access.models import User
from compliance.refusals import Refused
from compliance.signatures import signing
from compliance.signatures.models import Meaning
from compliance.signatures.signing import Confirmed
from compliance.trail import recording
from compliance.trail.tlog import canonical


class RecipeNotDraft(Refused):
    code = "recipe-not-draft"


class RecipeIncomplete(Refused):
    code = "recipe-incomplete"
    status = 422


class AuthorIsChecker(Refused):
    """One person prepares, a second one checks (21 CFR 211.186(a))."""

    code = "author-is-checker"


@dataclass(frozen=True)
class ParameterDraft:
    tag: str
    name: str
    kind: ParameterKind
    unit: str
    criticality: Criticality
    low: Decimal | None = None
    high: Decimal | None = None
    target: Decimal | None = None
    is_required: bool = False


@dataclass(frozen=True)
class RecipeDraft:
    """What a person writes: phases as (unit procedure, phase) in order, and the parameters."""

    title: str
    phases: Sequence[tuple[str, str]]
    parameters: Sequence[ParameterDraft]
    twin: str = ""
    twin_settings: Mapping[str, canonical.Value] = field(default_factory=dict)


def create_product(*, code: str, name: str, actor: User, at: datetime) -> Product:
    authority.demand(actor, Duty.AUTHOR_RECIPE)
    with recording.recording(Action.PRODUCT_CREATED, actor=actor, at=at, reason=f"product {code}"):
        return Product.objects.create(code=code, name=name)


def draft(product: Product, *, content: RecipeDraft, actor: User, at: datetime) -> MasterRecipe:
    """Write a new version of a product's recipe; it has no effect until it is approved."""
    authority.demand(actor, Duty.AUTHOR_RECIPE)
    if not content.phases:
        raise RecipeIncomplete("a master recipe needs at least one phase")
    with recording.recording(
        Action.RECIPE_DRAFTED, actor=actor, at=at, reason=f"draft for {product.code}"
    ):
        Product.objects.select_for_update().get(pk=product.pk)
        last = product.recipes.order_by("-version").first()
        recipe = MasterRecipe.objects.create(
            product=product,
            version=last.version + 1 if last else 1,
            title=content.title,
            author=actor,
            twin=content.twin,
            twin_settings=dict(content.twin_settings),
        )
        RecipePhase.objects.bulk_create(
            RecipePhase(recipe=recipe, order=order, unit_procedure=unit_procedure, name=name)
            for order, (unit_procedure, name) in enumerate(content.phases, start=1)
        )
        Parameter.objects.bulk_create(
            Parameter(recipe=recipe, **vars(parameter)) for parameter in content.parameters
        )
    return recipe


def approve(recipe: MasterRecipe, *, confirmed: Confirmed) -> MasterRecipe:
    """Check a recipe by signature and make it effective; the version before is superseded."""
    checker, at = confirmed.signer, confirmed.at
    authority.demand(checker, Duty.APPROVE_RECIPE)
    if checker.pk == recipe.author_id:
        raise AuthorIsChecker(f"{recipe}: its author cannot check it; ask a second person")
    with recording.recording(
        Action.RECIPE_APPROVED, actor=checker, at=at, reason=f"approval of {recipe}"
    ):
        locked = MasterRecipe.objects.select_for_update().get(pk=recipe.pk)
        if locked.state != RecipeState.DRAFT:
            raise RecipeNotDraft(f"{recipe} is {locked.get_state_display().lower()} already")
        signing.sign(locked, meaning=Meaning.APPROVED, confirmed=confirmed)
        for former in MasterRecipe.objects.filter(
            product=recipe.product_id, state=RecipeState.EFFECTIVE
        ):
            former.state = RecipeState.SUPERSEDED
            former.save(update_fields=["state"])
        locked.state = RecipeState.EFFECTIVE
        locked.checker = checker
        locked.effective_at = at
        locked.save(update_fields=["state", "checker", "effective_at"])
    return locked


@signing.signable(MasterRecipe)
def content(recipe: MasterRecipe) -> Mapping[str, canonical.Value]:
    """Everything of a recipe that a batch follows; the digest of an issued copy is taken of this."""
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
            {
                "tag": p.tag, "name": p.name, "kind": p.kind, "unit": p.unit,
                "criticality": p.criticality, "is_required": p.is_required,
                "low": _text(p.low), "high": _text(p.high), "target": _text(p.target),
            }
            for p in recipe.parameters.order_by("tag")
        ],
    }  # fmt: skip


def digest(recipe: MasterRecipe) -> str:
    """Return the SHA-256 of a recipe's content: what a batch is issued against."""
    return hashlib.sha256(
        b"gmp-recipe/content/v1\0" + canonical.dumps(dict(content(recipe)))
    ).hexdigest()


def _text(value: Decimal | None) -> str | None:
    return None if value is None else f"{value.normalize():f}"
