"""Laboratory as a Django app."""

from django.apps import AppConfig


class LaboratoryConfig(AppConfig):
    name = "batches.laboratory"
    label = "laboratory"
    verbose_name = "Laboratory"

    def ready(self) -> None:
        # Registers what signatures cover, what blocks a release, and what belongs to a batch.
        from batches.laboratory import (  # noqa: F401
            belongings,
            complaints,
            figures,
            objections,
            oos_conclusions,
            oos_phases,
            oos_retests,
            recipe_specifications,
            reviews,
            specifications,
            stability_results,
            test_decisions,
        )
