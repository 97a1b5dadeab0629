"""Say what may be done to a master recipe in which state, and by whom (21 CFR 11.10(f), 211.186)."""

from enum import StrEnum

from batches.recipes.models import MasterRecipe, RecipeState
from compliance.access.duties import Duty
from compliance.refusals import Refused


class RecipeNotDraft(Refused):
    """Only a draft is written in; what left it is changed by a new version."""

    code = "recipe-not-draft"


class RecipeNotInReview(Refused):
    code = "recipe-not-in-review"


class RecipeNotApproved(Refused):
    code = "recipe-not-approved"


class RecipeNotInUse(Refused):
    """Only what is approved or effective can be withdrawn."""

    code = "recipe-not-in-use"


class Step(StrEnum):
    """What can be asked of a master recipe."""

    REVISE = "revise it"
    SUBMIT = "submit it for review"
    DISCARD = "discard it"
    REVIEW = "review it"
    RETURN = "return it to its author"
    APPROVE = "approve it"
    TAKE_EFFECT = "make it effective"
    WITHDRAW = "withdraw it"


ALLOWED: dict[str, frozenset[Step]] = {
    RecipeState.DRAFT: frozenset({Step.REVISE, Step.SUBMIT, Step.DISCARD}),
    RecipeState.IN_REVIEW: frozenset({Step.REVIEW, Step.RETURN, Step.APPROVE}),
    RecipeState.APPROVED: frozenset({Step.TAKE_EFFECT, Step.WITHDRAW}),
    RecipeState.EFFECTIVE: frozenset({Step.WITHDRAW}),
    RecipeState.SUPERSEDED: frozenset(),
    RecipeState.WITHDRAWN: frozenset(),
}
# One of these duties is needed. Effect is taken by the schedule; a person of quality may hasten it.
DUTIES: dict[Step, frozenset[Duty]] = {
    Step.REVISE: frozenset({Duty.AUTHOR_RECIPE}),
    Step.SUBMIT: frozenset({Duty.AUTHOR_RECIPE}),
    Step.DISCARD: frozenset({Duty.AUTHOR_RECIPE}),
    Step.REVIEW: frozenset({Duty.AUTHOR_RECIPE}),
    Step.RETURN: frozenset({Duty.AUTHOR_RECIPE, Duty.APPROVE_RECIPE}),
    Step.APPROVE: frozenset({Duty.APPROVE_RECIPE}),
    Step.TAKE_EFFECT: frozenset({Duty.APPROVE_RECIPE}),
    Step.WITHDRAW: frozenset({Duty.APPROVE_RECIPE}),
}
REFUSALS: dict[Step, type[Refused]] = {
    Step.REVISE: RecipeNotDraft,
    Step.SUBMIT: RecipeNotDraft,
    Step.DISCARD: RecipeNotDraft,
    Step.REVIEW: RecipeNotInReview,
    Step.RETURN: RecipeNotInReview,
    Step.APPROVE: RecipeNotInReview,
    Step.TAKE_EFFECT: RecipeNotApproved,
    Step.WITHDRAW: RecipeNotInUse,
}


def demand(recipe: MasterRecipe, step: Step) -> None:
    """Pass when the recipe's state allows the step, else raise the refusal of that step."""
    if step in ALLOWED[recipe.state]:
        return
    may = ", ".join(sorted(ALLOWED[recipe.state])) or "nothing; draft a new version"
    raise REFUSALS[step](
        f"{recipe} is {recipe.get_state_display().lower()}: to {step} is not possible now; "
        f"possible: {may}"
    )


def take(recipe: MasterRecipe, step: Step) -> MasterRecipe:
    """Demand the step of the state as stored, and make whoever else needs the recipe wait."""
    MasterRecipe.objects.select_for_update(no_key=True).get(pk=recipe.pk)
    stored = MasterRecipe.objects.select_related("product", "author").get(pk=recipe.pk)
    demand(stored, step)
    return stored
