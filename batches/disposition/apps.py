"""Disposition as a Django app."""

from django.apps import AppConfig


class DispositionConfig(AppConfig):
    name = "batches.disposition"
    label = "disposition"
    verbose_name = "Disposition"

    def ready(self) -> None:
        # Registers what a signature under a batch covers, what blocks a release, what a review
        # looks at, what belongs to a batch and what evidence of it has, what the annual review of a
        # product collects and which figures the management review has.
        from batches.disposition import (  # noqa: F401
            after_trail_review,
            annual_review_batches,
            annual_review_quality,
            batch_evidence,
            batch_record,
            batch_report,
            belongings,
            figures,
            objections,
            retention_kinds,
            sections,
        )
