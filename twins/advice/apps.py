"""Advice as a Django app: it listens to alerts."""

from django.apps import AppConfig


class AdviceConfig(AppConfig):
    name = "twins.advice"
    label = "advice"
    verbose_name = "Advice"

    def ready(self) -> None:
        from twins.advice import figures, receivers, report_section  # noqa: F401 -- they register
        from twins.advice.requests import ROOM
        from twins.predictions import raised
        from twins.predictions.asked import rooms

        raised.register(receivers.on_alert)
        rooms.register(ROOM)
