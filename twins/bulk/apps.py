"""Bulk work of twins as a Django app."""

from django.apps import AppConfig


class BulkConfig(AppConfig):
    name = "twins.bulk"
    label = "bulk"
    verbose_name = "Bulk runs of twins"
