"""Disposition as a Django app."""

from django.apps import AppConfig


class DispositionConfig(AppConfig):
    name = "batches.disposition"
    label = "disposition"
    verbose_name = "Disposition"

    def ready(self) -> None:
        # Registers what a signature under a batch covers, and what blocks a release.
        from batches.disposition import batch_record, batch_report, objections  # noqa: F401
