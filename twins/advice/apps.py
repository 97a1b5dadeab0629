"""Advice as a Django app: it listens to alerts."""

from django.apps import AppConfig


class AdviceConfig(AppConfig):
    name = "twins.advice"
    label = "advice"
    verbose_name = "Advice"

    def ready(self) -> None:
        from twins.advice import figures, receivers, report_section  # noqa: F401 -- they register
        from twins.advice.models import Proposal
        from twins.predictions import raised, replay_rooms
        from twins.predictions.replay_rooms import Room

        raised.register(receivers.on_alert)
        replay_rooms.register(Room("proposal", Proposal, "twins.advice.replays"))
