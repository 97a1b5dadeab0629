"""Simulated plant as a Django app."""

from django.apps import AppConfig


class PlantConfig(AppConfig):
    name = "twins.plant"
    label = "plant"
    verbose_name = "Simulated plant"
