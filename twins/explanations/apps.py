"""Explanations as a Django app: it listens to alerts, and tells what a deviation quotes of them."""

from django.apps import AppConfig


class ExplanationsConfig(AppConfig):
    name = "twins.explanations"
    label = "explanations"
    verbose_name = "Explanations"

    def ready(self) -> None:
        from twins.explanations import (
            quoting,
            receivers,
            report_section,  # noqa: F401 -- it registers itself
        )
        from twins.explanations.requests import ROOM
        from twins.predictions import quotes, raised
        from twins.predictions.asked import rooms

        raised.register(receivers.on_alert)
        quotes.register(quoting.of)
        rooms.register(ROOM)
