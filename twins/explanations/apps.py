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
        from twins.explanations.models import Explanation
        from twins.predictions import quotes, raised, replay_rooms
        from twins.predictions.replay_rooms import Room

        raised.register(receivers.on_alert)
        quotes.register(quoting.of)
        replay_rooms.register(Room("explanation", Explanation, "twins.explanations.replays"))
