"""Predictions as a Django app: it listens to what batches record."""

from importlib.util import find_spec

from django.apps import AppConfig


class PredictionsConfig(AppConfig):
    name = "twins.predictions"
    label = "predictions"
    verbose_name = "Predictions"

    def ready(self) -> None:
        from batches.execution.signals import batch_event_recorded
        from twins.predictions import alerts, receivers

        batch_event_recorded.connect(
            receivers.on_batch_event, dispatch_uid="predictions.on_batch_event"
        )
        if find_spec("batches.disposition.blockers"):
            from batches.disposition import blockers

            blockers.register("open alerts")(alerts.open_of)
