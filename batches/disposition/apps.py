"""Disposition as a Django app."""

from django.apps import AppConfig


class DispositionConfig(AppConfig):
    name = "batches.disposition"
    label = "disposition"
    verbose_name = "Disposition"
