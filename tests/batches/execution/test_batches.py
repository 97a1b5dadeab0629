"""Batches are issued against effective recipes, once, by those who may."""

import pytest

from batches.execution import batches
from batches.execution.batches import (
    BatchKnown,
    BatchNumberInvalid,
    DeviationLinked,
    RecipeNotEffective,
)
from batches.recipes import master_recipes
from batches.recipes.models import MasterRecipe
from compliance.access.authority import NotPermitted
from compliance.access.duties import Role
from tests import factories
from tests.factories import NOON, RECIPE

pytestmark = pytest.mark.django_db


def test_an_issued_batch_has_the_recipes_phases_and_digest() -> None:
    recipe = factories.recipe()

    batch = factories.batch(recipe)

    assert batch.recipe_digest == master_recipes.digest(recipe)
    assert list(batch.phases.order_by("order").values_list("unit_procedure", "name")) == [
        *RECIPE.phases
    ]


def test_a_draft_recipe_issues_no_batch() -> None:
    author = factories.person(Role.PROCESS_ENGINEER)
    draft = master_recipes.draft(factories.product(), content=RECIPE, actor=author, at=NOON)

    with pytest.raises(RecipeNotEffective, match="draft"):
        factories.batch(draft)


def test_a_superseded_recipe_issues_no_batch() -> None:
    first = factories.recipe()
    second = factories.made_effective(factories.recipe_draft(of=first.product))

    with pytest.raises(RecipeNotEffective, match="superseded"):
        factories.batch(first)
    factories.batch(MasterRecipe.objects.get(pk=second.pk))


def test_a_batch_number_is_used_once() -> None:
    batch = factories.batch()
    supervisor = factories.person(Role.SUPERVISOR)

    with pytest.raises(BatchKnown):
        batches.issue(batch.recipe, number=batch.number, actor=supervisor, at=NOON)


@pytest.mark.parametrize("number", ["", "a/b", "B 1", "B\n", "-1", "ü", "B" * 61, "../x"])
def test_a_batch_number_is_plain(number: str) -> None:
    recipe, supervisor = factories.recipe(), factories.person(Role.SUPERVISOR)

    with pytest.raises(BatchNumberInvalid):
        batches.issue(recipe, number=number, actor=supervisor, at=NOON)


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.AUDITOR, Role.SYSTEM_ADMINISTRATOR])
def test_only_those_with_the_duty_issue_a_batch(role: Role) -> None:
    recipe, person = factories.recipe(), factories.person(role)

    with pytest.raises(NotPermitted):
        batches.issue(recipe, number="B-1", actor=person, at=NOON)


def test_a_deviation_is_opened_about_a_batch_and_linked_to_it() -> None:
    batch = factories.batch()

    deviation = factories.deviation(batch)

    assert list(batch.deviations.all()) == [deviation]


def test_a_deviation_is_linked_once() -> None:
    batch = factories.batch()
    deviation = factories.deviation(batch)

    with pytest.raises(DeviationLinked):
        batches.link_deviation(
            batch,
            deviation=deviation,
            actor=factories.person(Role.OPERATOR),
            at=NOON,
            reason="it concerns this batch",
        )
