"""Laboratory as a Django app."""

from django.apps import AppConfig


class LaboratoryConfig(AppConfig):
    name = "batches.laboratory"
    label = "laboratory"
    verbose_name = "Laboratory"
