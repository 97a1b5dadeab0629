"""Name the acts of recipes."""

from enum import StrEnum


class Action(StrEnum):
    PRODUCT_CREATED = "recipes.product-created"
    PRODUCT_REVISED = "recipes.product-revised"
    RECIPE_DRAFTED = "recipes.recipe-drafted"
    RECIPE_REVISED = "recipes.recipe-revised"
    RECIPE_SUBMITTED = "recipes.recipe-submitted"
    RECIPE_REVIEWED = "recipes.recipe-reviewed"
    RECIPE_RETURNED = "recipes.recipe-returned"
    RECIPE_APPROVED = "recipes.recipe-approved"
    RECIPE_TOOK_EFFECT = "recipes.recipe-took-effect"
    RECIPE_WITHDRAWN = "recipes.recipe-withdrawn"
    RECIPE_DISCARDED = "recipes.recipe-discarded"
