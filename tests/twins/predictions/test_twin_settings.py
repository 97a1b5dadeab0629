"""What a recipe tells its twin is read strictly."""

from typing import Any

import pytest
from django.db import DatabaseError, transaction

from batches.recipes import master_recipes, versions
from batches.recipes.actions import Action
from batches.recipes.models import MasterRecipe
from compliance.access.duties import Role
from compliance.quality.changes import ChangeNotApproved
from compliance.trail import recording
from tests import factories
from tests.factories import NOON, TEST
from twins.plant import demo_recipe
from twins.predictions import cultures, twin_settings


def test_the_demonstration_recipe_tells_its_twin_what_the_plant_runs(recipe: MasterRecipe) -> None:
    found = cultures.settings(recipe)

    assert found.initial == demo_recipe.RECIPE_INITIAL
    assert found.feed == demo_recipe.RECIPE_FEED
    assert set(found.limits) == set(demo_recipe.RECIPE_LIMITS)
    assert found.pace == twin_settings.Pace(6, 48, 0.8)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"initail": {}}, "initail"),
        ({"feed_glucose_mmol_l": 600}, "600"),
        ({"feed_glucose_mmol_l": "nan"}, "nan"),
        ({"feed_glucose_mmol_l": "much"}, "much"),
        ({"feed": [["0.0"]]}, "settings of the twin"),
        ({"limit_windows": {"colour": ["0", None]}}, "colour"),
        ({"limit_windows": {"ph": ["0"]}}, "settings of the twin"),
        ({"every_h": 0}, "every_h"),
        ({"alert_threshold": "1.5"}, "alert_threshold"),
    ],
)
def test_settings_that_cannot_be_read_are_refused_by_name(
    recipe: MasterRecipe, change: dict[str, Any], named: str
) -> None:
    recipe.twin_settings = {**recipe.twin_settings, **change}

    with pytest.raises(twin_settings.TwinSettingsInvalid, match=named):
        cultures.settings(recipe)


def test_settings_that_lack_something_are_refused_by_name(recipe: MasterRecipe) -> None:
    del recipe.twin_settings["initial"]

    with pytest.raises(twin_settings.TwinSettingsInvalid, match="initial"):
        cultures.settings(recipe)


@pytest.mark.requirement("A22-10")
@pytest.mark.parametrize(
    ("name", "value"), [("alert_threshold", "0.99"), ("horizon_h", 6), ("every_h", 24)]
)
def test_what_the_twin_is_told_changes_by_an_approved_change_only(
    recipe: MasterRecipe, name: str, value: object
) -> None:
    """Raising the alert threshold of a running recipe would silence a qualified twin."""
    told = {**recipe.twin_settings, name: value}
    with (
        pytest.raises(DatabaseError, match="draft a new version") as refused,
        transaction.atomic(),
        recording.recording(Action.RECIPE_REVISED, actor=TEST, at=NOON, reason="by hand"),
    ):
        MasterRecipe.objects.filter(pk=recipe.pk).update(twin_settings=told)
    assert refused.value.__cause__.sqlstate == "GM002"  # type: ignore[union-attr]
    engineer = factories.person(Role.PROCESS_ENGINEER)
    asked = factories.change()
    draft = master_recipes.copy(
        recipe, change_number=asked.number, change_summary="fewer alerts", actor=engineer, at=NOON
    )
    master_recipes.revise(
        draft, content=master_recipes.present(draft, twin_settings=told), actor=engineer, at=NOON,
        reason="fewer alerts",
    )  # fmt: skip
    versions.submit(draft, confirmed=factories.confirmed(engineer))
    reviewer = factories.person(Role.PROCESS_ENGINEER)
    versions.review(draft, confirmed=factories.confirmed(reviewer))

    with pytest.raises(ChangeNotApproved, match=asked.number):
        versions.approve(
            draft, confirmed=factories.confirmed(factories.person(Role.QUALITY_ASSURANCE))
        )
