"""Predictions as a Django app: it listens to what batches record."""

from django.apps import AppConfig


class PredictionsConfig(AppConfig):
    name = "twins.predictions"
    label = "predictions"
    verbose_name = "Predictions"

    def ready(self) -> None:
        from batches.execution import blockers
        from batches.execution.signals import batch_event_recorded
        from twins.hub import drift_watch
        from twins.predictions import (  # noqa: F401 -- they register themselves
            alerts,
            figures,
            receivers,
            report_section,
            watched,
        )

        batch_event_recorded.connect(
            receivers.on_batch_event, dispatch_uid="predictions.on_batch_event"
        )
        blockers.register("open-alerts", clause="EU GMP Annex 11 (draft 2025) 8")(alerts.open_of)
        drift_watch.add_source(watched.by)
