"""What a recipe tells its twin is read strictly."""

from typing import Any

import pytest

from batches.recipes.models import MasterRecipe
from twins.plant import demo_recipe
from twins.predictions import twin_settings


def test_the_demonstration_recipe_tells_its_twin_what_the_plant_runs(recipe: MasterRecipe) -> None:
    found = twin_settings.of(recipe)

    assert found.initial == demo_recipe.RECIPE_INITIAL
    assert found.feed == demo_recipe.RECIPE_FEED
    assert set(found.limits) == set(demo_recipe.RECIPE_LIMITS)
    assert (found.every_h, found.horizon_h, found.alert_threshold) == (6, 48, 0.8)


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
        twin_settings.of(recipe)


def test_settings_that_lack_something_are_refused_by_name(recipe: MasterRecipe) -> None:
    del recipe.twin_settings["initial"]

    with pytest.raises(twin_settings.TwinSettingsInvalid, match="initial"):
        twin_settings.of(recipe)
