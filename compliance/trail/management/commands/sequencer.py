"""Seal the trail: one process per log, always running."""

import signal
from threading import Event
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from compliance.trail import sealing
from compliance.trail.sequencer import SealMismatch


class Command(BaseCommand):
    help = "Seal committed entries until stopped (SIGTERM, Ctrl-C)."
    requires_system_checks = []  # it must work where something else is not as it should be

    def handle(self, *args: Any, **options: Any) -> None:
        stop = Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        self.stdout.write("Sealing the trail")
        try:
            sealing.run(stop)
        except SealMismatch as error:
            raise CommandError(f"stopped: {error}") from error
        self.stdout.write("Stopped")
