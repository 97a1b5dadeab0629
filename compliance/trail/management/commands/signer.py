"""Sign the trail's checkpoints: one process per log, always running, best on a host of its own."""

import signal
from argparse import ArgumentParser
from pathlib import Path
from threading import Event
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from compliance.trail.checkpoints import CheckpointConflict
from compliance.trail.keyring.failure import KeyUnusable
from compliance.trail.signer import delivery, process
from compliance.trail.signer.failure import SignerRefused
from compliance.trail.tlog.key_documents import KeyRefused


class Command(BaseCommand):
    help = "Sign and publish checkpoints until stopped (SIGTERM, Ctrl-C)."
    requires_system_checks = []  # it must work where something else is not as it should be

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--adopt",
            type=Path,
            metavar="NOTE",
            help="Begin from this checkpoint, kept outside, in place of a lost memory; then end.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        stop = Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        try:
            if options["adopt"]:
                self._adopt(options["adopt"])
                return
            self.stdout.write("Signing the trail")
            process.run(stop)
        except (SignerRefused, CheckpointConflict, KeyUnusable, KeyRefused) as error:
            raise CommandError(f"stopped: {error}") from error
        self.stdout.write("Stopped")

    def _adopt(self, path: Path) -> None:
        try:
            text = path.read_bytes().decode()
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{path}: {error}") from error
        adopted = delivery.adopt(text, at=timezone.now())
        self.stdout.write(f"The signer goes on from the checkpoint of {adopted.size} leaves")
