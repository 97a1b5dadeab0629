"""Inspection as a Django app."""

from django.apps import AppConfig


class InspectionConfig(AppConfig):
    name = "compliance.inspection"
    label = "inspection"
    verbose_name = "Inspection"
