"""Laboratory as a Django app."""

from django.apps import AppConfig


class LaboratoryConfig(AppConfig):
    name = "batches.laboratory"
    label = "laboratory"
    verbose_name = "Laboratory"

    def ready(self) -> None:
        # Registers what of the laboratory belongs to a batch.
        from batches.laboratory import belongings  # noqa: F401
