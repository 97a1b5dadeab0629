"""Laboratory as a Django app."""

from django.apps import AppConfig


class LaboratoryConfig(AppConfig):
    name = "batches.laboratory"
    label = "laboratory"
    verbose_name = "Laboratory"

    def ready(self) -> None:
        # Registers what signatures cover, and what blocks a release.
        from batches.laboratory import (  # noqa: F401
            complaints,
            objections,
            oos_conclusions,
            oos_phases,
            oos_retests,
            reviews,
            specifications,
            stability_results,
            test_decisions,
        )
