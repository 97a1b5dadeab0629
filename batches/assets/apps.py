"""Assets as a Django app."""

from django.apps import AppConfig


class AssetsConfig(AppConfig):
    name = "batches.assets"
    label = "assets"
    verbose_name = "Assets"
