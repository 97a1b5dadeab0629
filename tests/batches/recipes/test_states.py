"""Every recipe state x step x role is allowed, or refused with its own code and unchanged."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from batches.recipes import master_recipes, states, versions
from batches.recipes.models import MasterRecipe, RecipeState
from batches.recipes.states import ALLOWED, DUTIES, REFUSALS, Step
from compliance.access.authority import NotPermitted
from compliance.access.duties import DUTIES as DUTIES_OF
from compliance.access.duties import Role
from compliance.access.models import User
from compliance.trail.recording import System
from tests import factories
from tests.factories import NOON

pytestmark = pytest.mark.django_db
REASON = "asked for by a test of the states"
TOMORROW = (NOON + timedelta(days=1)).date()


def in_state(state: RecipeState) -> MasterRecipe:
    """Return a recipe in a state; one in review is reviewed unless the step is the review."""
    recipe = factories.recipe_draft()
    if state == RecipeState.DRAFT:
        return recipe
    if state == RecipeState.WITHDRAWN:
        return versions.discard(recipe, actor=recipe.author, at=NOON, reason=REASON)
    recipe = versions.submit(recipe, confirmed=factories.confirmed(recipe.author))
    if state == RecipeState.IN_REVIEW:
        return recipe
    reviewer = factories.person(Role.PROCESS_ENGINEER)
    versions.review(recipe, confirmed=factories.confirmed(reviewer))
    checker = factories.confirmed(factories.person(Role.QUALITY_ASSURANCE))
    if state == RecipeState.APPROVED:
        return versions.approve(recipe, confirmed=checker, effective_on=TOMORROW)
    recipe = versions.approve(recipe, confirmed=checker)
    if state == RecipeState.SUPERSEDED:
        factories.made_effective(factories.recipe_draft(of=recipe.product))
    return MasterRecipe.objects.get(pk=recipe.pk)


def _approve(recipe: MasterRecipe, actor: User) -> object:
    if recipe.state == RecipeState.IN_REVIEW and recipe.reviewer_id is None:
        reviewer = factories.person(Role.PROCESS_ENGINEER)
        versions.review(recipe, confirmed=factories.confirmed(reviewer))
    return versions.approve(recipe, confirmed=factories.confirmed(actor))


DO: dict[Step, Callable[[MasterRecipe, User], object]] = {
    Step.REVISE: lambda recipe, actor: master_recipes.revise(
        recipe,
        content=master_recipes.present(recipe, storage="-20 Cel"),
        actor=actor,
        at=NOON,
        reason=REASON,
    ),
    Step.SUBMIT: lambda recipe, actor: versions.submit(
        recipe, confirmed=factories.confirmed(actor)
    ),
    Step.DISCARD: lambda recipe, actor: versions.discard(
        recipe, actor=actor, at=NOON, reason=REASON
    ),
    Step.REVIEW: lambda recipe, actor: versions.review(
        recipe, confirmed=factories.confirmed(actor)
    ),
    Step.RETURN: lambda recipe, actor: versions.return_(
        recipe, actor=actor, at=NOON, reason=REASON
    ),
    Step.APPROVE: _approve,
    Step.TAKE_EFFECT: lambda recipe, actor: versions.take_effect(
        recipe, actor=actor, at=NOON + timedelta(days=1)
    ),
    Step.WITHDRAW: lambda recipe, actor: versions.withdraw(
        recipe, confirmed=factories.confirmed(actor), reason=REASON
    ),
}
OF_THE_AUTHOR = {Step.REVISE, Step.SUBMIT, Step.DISCARD}


def _actor(recipe: MasterRecipe, step: Step, role: Role) -> User:
    """Return who asks: the author where only the author may, somebody else of the role if not."""
    if step in OF_THE_AUTHOR and role == Role.PROCESS_ENGINEER:
        return recipe.author
    return factories.person(role)


@pytest.mark.requirement("P11-f1", "211-22a")
@pytest.mark.parametrize("step", Step)
@pytest.mark.parametrize("state", RecipeState)
def test_a_step_is_possible_in_exactly_the_states_and_for_the_roles_that_allow_it(
    state: RecipeState, step: Step
) -> None:
    recipe = in_state(state)
    before = MasterRecipe.objects.filter(pk=recipe.pk).values()[0]
    content = master_recipes.digest(recipe)
    permitted = [role for role in Role if DUTIES[step] & DUTIES_OF[role]]

    for role in set(Role) - set(permitted):
        with pytest.raises(NotPermitted):
            versions_do(recipe, step, role)
    for role in permitted if step not in ALLOWED[state] else []:
        with pytest.raises(REFUSALS[step], match=str(recipe)):
            DO[step](recipe, _actor(recipe, step, role))

    assert MasterRecipe.objects.filter(pk=recipe.pk).values()[0] == before
    assert master_recipes.digest(MasterRecipe.objects.get(pk=recipe.pk)) == content
    if step in ALLOWED[state]:
        DO[step](recipe, _actor(recipe, step, permitted[-1]))
        assert MasterRecipe.objects.filter(pk=recipe.pk).values()[0] != before


def versions_do(recipe: MasterRecipe, step: Step, role: Role) -> None:
    """Ask for a step by somebody who may not; nothing is prepared for them."""
    actor = factories.person(role)
    if step == Step.APPROVE:
        versions.approve(recipe, confirmed=factories.confirmed(actor))
    DO[step](recipe, actor)


def test_every_state_and_every_step_is_declared() -> None:
    assert set(ALLOWED) == set(RecipeState.values)
    assert frozenset().union(*ALLOWED.values()) == set(Step)
    assert set(DUTIES) == set(REFUSALS) == set(DO) == set(Step)


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
