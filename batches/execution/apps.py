"""Execution as a Django app."""

from django.apps import AppConfig


class ExecutionConfig(AppConfig):
    name = "batches.execution"
    label = "execution"
    verbose_name = "Execution"

    def ready(self) -> None:
        from batches.execution import (  # noqa: F401
            equipment_neighbours,
            lot_neighbours,
            neighbours,
            objections,
            segments,
            signed_contents,
        )
        from compliance.trail import bulk_seals

        bulk_seals.register("readings", segments.broken, tables=segments.TABLES)
