"""Collect readings from an OPC UA server or an MQTT broker, in a process of its own."""

import logging
import signal
from argparse import ArgumentParser
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from batches.exchange.collectors import configuration, running
from batches.exchange.collectors.buffer import Buffer, BufferFull, BufferUnusable
from batches.exchange.collectors.configuration import Configuration, ConfigurationInvalid
from batches.exchange.collectors.running import Collect, DeliveryBroken

WORKS = ("opcua", "mqtt", "check", "status", "dead-letters", "send-again", "notes")
# sysexits.h: a supervisor tells a wrong file, to be mended, from a state that passes.
EX_CONFIG, EX_TEMPFAIL = 78, 75
_EXTRA = "install the extra: pip install 'gmp-twin[collectors]'"


class Command(BaseCommand):
    help = "Collect until stopped (SIGTERM, Ctrl-C), or show what a collector's buffer holds."
    requires_system_checks = []  # it speaks to the product over HTTP only

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("work", choices=WORKS)
        parser.add_argument("--config", type=Path, required=True, help="TOML; docs/collectors.md")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            found = configuration.read(options["config"])
        except ConfigurationInvalid as error:
            raise CommandError(str(error), returncode=EX_CONFIG) from error
        work = options["work"]
        try:
            if work in ("opcua", "mqtt"):
                self._run(found, work)
            else:
                self._show(found, work)
        except BufferFull as error:
            raise CommandError(
                f"ALARM: {error}; stopped collecting, nothing was dropped", returncode=EX_TEMPFAIL
            ) from error
        except (BufferUnusable, DeliveryBroken) as error:
            raise CommandError(f"ALARM: {error}") from error

    def _run(self, found: Configuration, work: str) -> None:
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
        logging.getLogger("httpx").setLevel(logging.WARNING)
        stop = Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        collect, refused = self._collect(found, work)
        self.stdout.write(f"Collecting as {found.collector.source}")
        try:
            running.run(found, collect, stop)
        except refused as error:
            raise CommandError(f"stopped: {error}", returncode=EX_CONFIG) from error
        self.stdout.write("Stopped")

    @staticmethod
    def _collect(found: Configuration, work: str) -> tuple[Collect, type[Exception]]:
        """Return what collects; its library is loaded here, by this process alone."""
        try:
            if work == "opcua" and found.opcua is not None:
                from batches.exchange.collectors import opcua

                return partial(opcua.collect, found.opcua), opcua.ServerRefused
            if work == "mqtt" and found.mqtt is not None:
                from batches.exchange.collectors import mqtt

                return partial(mqtt.collect, found.mqtt), mqtt.BrokerRefused
        except ModuleNotFoundError as error:
            raise CommandError(f"{error}: {_EXTRA}") from error
        raise CommandError(f"the file has no table [{work}]", returncode=EX_CONFIG)

    def _show(self, found: Configuration, work: str) -> None:
        said = found.collector
        if work == "check":
            self.stdout.write("The configuration is well-formed")
            return
        if not said.buffer.exists():
            raise CommandError(f"there is no buffer at {said.buffer} yet")
        buffer = Buffer(said.buffer, source=said.source, most=said.most_items)
        match work:
            case "status":
                letters = len(buffer.dead_letters())
                self.stdout.write(
                    f"{said.source}: {buffer.waiting()} waiting, {letters} dead letters, "
                    f"{len(buffer.notes())} notes"
                )
            case "dead-letters":
                for one in buffer.dead_letters():
                    self.stdout.write(
                        f"{one.id} {one.refused_at} {one.status} {one.code} {one.batch} "
                        f"{one.line} {one.detail}"
                    )
            case "send-again":
                self.stdout.write(f"{buffer.send_again()} lines are queued again")
            case "notes":
                for at, kind, batch, tag, text in buffer.notes():
                    self.stdout.write(" ".join(filter(None, (at, kind, batch, tag, text))))
        buffer.close()
