"""Quality as a Django app."""

from django.apps import AppConfig


class QualityConfig(AppConfig):
    name = "compliance.quality"
    label = "quality"
    verbose_name = "Quality"
