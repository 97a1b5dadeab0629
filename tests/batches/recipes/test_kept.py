"""The database keeps approved versions and their people, for raw SQL and bulk updates too."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from batches.recipes import master_recipes, versions
from batches.recipes.actions import Action
from batches.recipes.models import MasterRecipe, Parameter, RecipePhase, RecipeState
from batches.recipes.parts import KINDS
from compliance.access.duties import Role
from compliance.trail import recording
from tests import factories
from tests.factories import NOON, TEST, confirmed

pytestmark = pytest.mark.django_db
PARTS = sorted(kind.model._meta.db_table for kind in KINDS.values())


@contextmanager
def _refused(sqlstate: str | None = "GM002") -> Iterator[None]:
    """Expect that the database refuses what a careless or ill-meaning caller sends."""
    with pytest.raises(DatabaseError) as refused, transaction.atomic():
        with recording.recording(
            Action.RECIPE_REVISED, actor=TEST, at=NOON, reason="an attempt to go around the rules"
        ):
            yield
    assert refused.value.__cause__.sqlstate == sqlstate  # type: ignore[union-attr]


def _sql(statement: str, *values: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


@pytest.fixture
def recipe(db: None) -> MasterRecipe:
    return factories.recipe()


@pytest.mark.requirement("211-186", "211-22a")
@pytest.mark.parametrize("table", PARTS)
def test_no_part_of_an_effective_version_is_changed_removed_or_added(
    recipe: MasterRecipe, table: str
) -> None:
    column = {"recipes_expectedyield": "unit", "recipes_labelrequirement": "version"}.get(table)
    column = column or {"recipes_materialrequirement": "unit"}.get(table, "name")
    model = next(kind.model for kind in KINDS.values() if kind.model._meta.db_table == table)

    with _refused():
        _sql(f"UPDATE {table} SET {column} = 'x' WHERE recipe_id = %s", recipe.pk)
    with _refused():
        model._default_manager.filter(recipe=recipe).update(**{column: "x"})
    with _refused():
        _sql(f"DELETE FROM {table} WHERE recipe_id = %s", recipe.pk)
    with _refused():
        row = model._default_manager.filter(recipe=recipe).first()
        row.pk = None
        model._default_manager.bulk_create([row])
    assert versions.signing.is_current(versions.signing.of(recipe)[-1], recipe)


@pytest.mark.requirement("211-186", "211-22a")
@pytest.mark.parametrize(
    "column", ["title", "twin", "storage", "version", "author_id", "checker_id", "reviewer_id"]
)
def test_no_value_of_an_effective_version_is_changed(recipe: MasterRecipe, column: str) -> None:
    value = 99 if column in {"version"} or column.endswith("_id") else "x"

    with _refused():
        _sql(f"UPDATE recipes_masterrecipe SET {column} = %s WHERE id = %s", value, recipe.pk)
    with _refused():
        MasterRecipe.objects.filter(pk=recipe.pk).update(twin_settings={"every_h": 1})


def test_a_version_in_review_is_not_changed_either() -> None:
    recipe = factories.recipe_draft()
    versions.submit(recipe, confirmed=confirmed(recipe.author))

    with _refused():
        MasterRecipe.objects.filter(pk=recipe.pk).update(storage="warm")
    with _refused():
        Parameter.objects.filter(recipe=recipe).update(low=Decimal(1))


_MOVES = [
    (RecipeState.DRAFT, RecipeState.APPROVED),
    (RecipeState.DRAFT, RecipeState.EFFECTIVE),
    (RecipeState.IN_REVIEW, RecipeState.EFFECTIVE),
    (RecipeState.EFFECTIVE, RecipeState.DRAFT),
    (RecipeState.EFFECTIVE, RecipeState.APPROVED),
]


@pytest.mark.requirement("P11-f1")
@pytest.mark.parametrize(("before", "after"), _MOVES)
def test_no_state_is_skipped_or_taken_back_by_sql(before: RecipeState, after: RecipeState) -> None:
    recipe = factories.recipe() if before == RecipeState.EFFECTIVE else factories.recipe_draft()
    if before == RecipeState.IN_REVIEW:
        versions.submit(recipe, confirmed=confirmed(recipe.author))
    quality = factories.person(Role.QUALITY_ASSURANCE)

    with _refused():
        MasterRecipe.objects.filter(pk=recipe.pk).update(
            state=after, checker=quality, effective_at=NOON, effective_on=NOON.date()
        )


def test_approval_by_sql_needs_a_review() -> None:
    recipe = factories.recipe_draft()
    versions.submit(recipe, confirmed=confirmed(recipe.author))

    with _refused():
        MasterRecipe.objects.filter(pk=recipe.pk).update(
            state=RecipeState.APPROVED,
            checker=factories.person(Role.QUALITY_ASSURANCE),
            effective_on=NOON.date(),
        )


def test_a_recipe_begins_as_a_draft(recipe: MasterRecipe) -> None:
    with _refused():
        recipe.pk, recipe.version = None, 7
        MasterRecipe.objects.bulk_create([recipe])


@pytest.mark.requirement("211-186")
@pytest.mark.parametrize("column", ["reviewer_id", "checker_id"])
def test_the_author_is_neither_reviewer_nor_checker_for_sql_too(column: str) -> None:
    recipe = factories.recipe_draft()

    with _refused("23514"):
        _sql(f"UPDATE recipes_masterrecipe SET {column} = author_id WHERE id = %s", recipe.pk)


@pytest.mark.requirement("211-186")
def test_the_reviewer_is_not_the_checker_for_sql_too() -> None:
    recipe, other = factories.recipe_draft(), factories.person(Role.QUALITY_ASSURANCE)

    with _refused("23514"):
        MasterRecipe.objects.filter(pk=recipe.pk).update(reviewer=other, checker=other)


def test_a_part_names_a_phase_of_its_own_recipe(recipe: MasterRecipe) -> None:
    draft = factories.recipe_draft()
    foreign = recipe.phases.order_by("order").first()

    with _refused():
        Parameter.objects.filter(recipe=draft).update(phase=foreign)


def test_a_part_of_a_draft_cannot_be_moved_into_an_effective_version(recipe: MasterRecipe) -> None:
    draft = factories.recipe_draft()

    with _refused():
        RecipePhase.objects.filter(recipe=draft).update(recipe=recipe)


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"low": "1", "high": "2", "proven_low": "1.5"}, "normal_range_within_proven"),
        ({"low": "1", "high": "2", "proven_high": "1.5"}, "normal_range_within_proven"),
        ({"low": None, "high": "2", "proven_low": "0"}, "normal_range_within_proven"),
        ({"low": "1", "high": "2", "target": "3"}, "target_within_limits"),
        ({"low": "2", "high": "1"}, "limits_low_not_above_high"),
        ({"alert_low": "1", "action_low": "2"}, "alert_limits_within_action_limits"),
        ({"alert_high": "2", "action_high": "1"}, "alert_limits_within_action_limits"),
        (
            {"low": "1", "high": "2", "proven_low": "1", "action_low": "0"},
            "action_limits_within_proven",
        ),
    ],
)
def test_ranges_that_contradict_each_other_are_refused(
    values: dict[str, str | None], constraint: str
) -> None:
    recipe = factories.recipe_draft()
    numbers = {name: None if one is None else Decimal(one) for name, one in values.items()}
    given = {"low": None, "high": None, "target": None, **numbers}

    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        with recording.recording(
            Action.RECIPE_REVISED, actor=TEST, at=NOON, reason="an attempt to go around the rules"
        ):
            Parameter.objects.filter(recipe=recipe, tag="ph").update(**given)


@pytest.mark.requirement("211-186")
def test_a_new_version_leaves_an_issued_batch_as_it_is(recipe: MasterRecipe) -> None:
    batch = factories.batch(recipe)
    issued = (batch.recipe_id, batch.recipe_digest)

    later = factories.made_effective(
        master_recipes.copy(
            recipe, change_number=factories.approved_change().number,
            change_summary="a later version",
            actor=factories.person(Role.PROCESS_ENGINEER), at=NOON,
        ),
        at=NOON + timedelta(days=1),
    )  # fmt: skip

    batch.refresh_from_db()
    assert (batch.recipe_id, batch.recipe_digest) == issued
    assert master_recipes.digest(batch.recipe) == issued[1]
    assert factories.batch(later).recipe_digest == master_recipes.digest(later) != issued[1]
