"""Products and master recipes in the admin."""

from batches.recipes.admin import products, recipe_acts, recipes
from batches.recipes.admin.sections import marked, parameters

__all__ = ["marked", "parameters", "products", "recipe_acts", "recipes"]
