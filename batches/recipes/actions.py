"""Name the acts of recipes."""

from enum import StrEnum


class Action(StrEnum):
    PRODUCT_CREATED = "recipes.product-created"
    RECIPE_DRAFTED = "recipes.recipe-drafted"
    RECIPE_APPROVED = "recipes.recipe-approved"
