"""Inspection as a Django app."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class InspectionConfig(AppConfig):
    name = "compliance.inspection"
    label = "inspection"
    verbose_name = "Inspection"

    def ready(self) -> None:
        from compliance.inspection import (
            checks,  # noqa: F401 -- registers
            completeness,  # noqa: F401 -- registers
        )

        # Every app may have a module or package `inspection` that registers checks of its own.
        autodiscover_modules("inspection")
