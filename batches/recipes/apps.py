"""Recipes as a Django app."""

from django.apps import AppConfig


class RecipesConfig(AppConfig):
    name = "batches.recipes"
    label = "recipes"
    verbose_name = "Recipes"
