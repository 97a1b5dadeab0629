"""Every recipe state x step x caller is allowed, or refused with its own code and on record."""

from datetime import timedelta
from typing import Any

import pytest

from batches.recipes import master_recipes, states, versions
from batches.recipes.master_recipes import NotTheAuthor
from batches.recipes.models import MasterRecipe, RecipeState
from batches.recipes.states import ALLOWED, DUTIES, REFUSALS, Step
from batches.recipes.versions import AuthorIsReviewer
from compliance.access.duties import Role
from compliance.access.models import User
from compliance.trail.recording import System
from tests import factories, matrix
from tests.factories import NOON, PASSWORD
from tests.matrix import Asked, Caller, Crew

pytestmark = pytest.mark.django_db
REASON = "asked for by a test of the states"
TOMORROW = (NOON + timedelta(days=1)).date()
SIGNED = {"password": PASSWORD}
AUTHOR = "its author"


def in_state(state: str, author: User | None = None) -> MasterRecipe:
    """Return a recipe in a state; one in review is not reviewed yet."""
    recipe = factories.recipe_draft(author=author)
    if state == RecipeState.DRAFT:
        return recipe
    if state == RecipeState.WITHDRAWN:
        return versions.discard(recipe, actor=recipe.author, at=NOON, reason=REASON)
    recipe = versions.submit(recipe, confirmed=factories.confirmed(recipe.author))
    if state == RecipeState.IN_REVIEW:
        return recipe
    _review(recipe)
    checker = factories.confirmed(factories.person(Role.QUALITY_ASSURANCE))
    if state == RecipeState.APPROVED:
        return versions.approve(recipe, confirmed=checker, effective_on=TOMORROW)
    recipe = versions.approve(recipe, confirmed=checker)
    if state == RecipeState.SUPERSEDED:
        factories.made_effective(factories.recipe_draft(of=recipe.product))
    return MasterRecipe.objects.get(pk=recipe.pk)


def _review(recipe: MasterRecipe, by: User | None = None) -> object:
    reviewer = factories.person(Role.PROCESS_ENGINEER)
    return versions.review(recipe, confirmed=factories.confirmed(reviewer))


def _act(name: str, body: dict[str, object], recipe: MasterRecipe, method: str = "POST") -> Asked:
    return Asked(f"recipes/{recipe.product.code}/{recipe.version}/{name}", body, method)


def _made_in(state: str, crew: Crew) -> Any:
    """Return a recipe in a state, of the author in the crew, with what it is to be written anew as."""
    made: Any = in_state(state, crew[AUTHOR].actor)  # type: ignore[arg-type]
    made.content_anew = {**master_recipes.content(made), "storage": "-20 Cel"}
    return made


def _revision(recipe: Any, by: Caller) -> Asked:
    said = {"content": recipe.content_anew, "reason": REASON}
    return _act("content", said, recipe, "PUT")


def _beside(state: str, step: Step, caller: Caller) -> str | None:
    """What only its author writes; and the author does not review it."""
    if step in {Step.REVISE, Step.SUBMIT, Step.DISCARD} and caller.name != AUTHOR:
        return NotTheAuthor.code
    if step == Step.REVIEW and caller.name == AUTHOR:
        return AuthorIsReviewer.code
    return None


RECIPE = matrix.Kind(
    allowed=ALLOWED,
    duties=DUTIES,
    made_in=_made_in,
    ask={
        Step.REVISE: _revision,
        Step.SUBMIT: lambda one, by: _act("submission", SIGNED, one),
        Step.DISCARD: lambda one, by: _act("discard", {"reason": REASON}, one),
        Step.REVIEW: lambda one, by: _act("review", SIGNED, one),
        Step.RETURN: lambda one, by: _act("return", {"reason": REASON}, one),
        Step.APPROVE: lambda one, by: _act("approval", SIGNED, one),
        Step.TAKE_EFFECT: lambda one, by: _act("effect", {}, one),
        Step.WITHDRAW: lambda one, by: _act("withdrawal", {**SIGNED, "reason": REASON}, one),
    },
    refusal=lambda state, step: REFUSALS[step].code,
    prepare={Step.APPROVE: _review},
    otherwise=_beside,
    also={AUTHOR: Role.PROCESS_ENGINEER},
)


@pytest.mark.requirement("P11-f1", "P11-g1", "211-22a")
def test_a_recipe_takes_every_step_that_is_allowed_and_keeps_every_other_attempt() -> None:
    ran = matrix.run(RECIPE)

    assert ran.wrong == []
    assert ran.done == matrix.expected_done(RECIPE)


def test_every_state_and_every_step_is_declared() -> None:
    assert set(ALLOWED) == set(RecipeState.values)
    assert frozenset().union(*ALLOWED.values()) == set(Step)
    assert set(DUTIES) == set(REFUSALS) == set(RECIPE.ask) == set(Step)


def test_the_state_that_counts_is_the_stored_one() -> None:
    recipe = factories.recipe_draft()
    stale = MasterRecipe.objects.get(pk=recipe.pk)
    versions.submit(recipe, confirmed=factories.confirmed(recipe.author))

    with pytest.raises(states.RecipeNotDraft):
        versions.submit(stale, confirmed=factories.confirmed(stale.author))


def test_the_schedule_may_make_a_version_effective() -> None:
    recipe = in_state(RecipeState.APPROVED)

    taken = versions.take_effect(recipe, actor=System("schedule"), at=NOON + timedelta(days=1))

    assert taken.state == RecipeState.EFFECTIVE
