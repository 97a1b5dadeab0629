"""`manage.py demo`: set up, run the main job with the whole product, leave the site running."""

import socket
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from batches.exchange import folders
from config import listening, status
from config.demo import cast, folder_job, main_job
from config.demo.person import Unexpected
from config.demo.progress import Display
from config.embedded import lease
from config.management.commands import up
from config.supervisor import GaveUp, Supervisor
from twins.plant.client import PlantRefused, PlantUnheard, RecipeUnfit


class Command(BaseCommand):
    help = "Run the main job on a simulated plant, or on a folder of real data."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--bind", default="auto", metavar="HOST:PORT")
        parser.add_argument("--data", type=Path, metavar="FOLDER", help="take real data instead")
        parser.add_argument("--no-serve", action="store_true", help="end when the job is done")

    def handle(self, *args: Any, **options: Any) -> None:
        display = Display()
        data = options["data"]
        if data is not None and not folders.recognise(data).recognised:
            raise CommandError(
                f"{data} holds nothing this product reads; docs/data.md lists the formats"
            )
        display.step("Setting up the database, people, devices and recipes")
        call_command("migrate", verbosity=0)
        now = timezone.now()
        players = cast.assemble(settings.VAR_DIR / "demo", at=now)
        try:
            with (
                status.Status(settings.VAR_DIR, started_at=now) as file,
                listening.bind(options["bind"]) as listener,
            ):
                self._perform(file, listener, players, display, options)
        except (listening.CannotBind, status.AlreadyUp, GaveUp) as error:
            raise CommandError(str(error)) from error
        except (Unexpected, PlantRefused, PlantUnheard, RecipeUnfit) as error:
            raise CommandError(f"the demonstration stopped: {error}") from error

    def _perform(
        self,
        file: status.Status,
        listener: socket.socket,
        players: cast.Cast,
        display: Display,
        options: dict[str, Any],
    ) -> None:
        url = listening.url(listener).rstrip("/")
        log = settings.VAR_DIR / "log" / "demo.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a", buffering=1) as lines:
            supervisor = Supervisor(
                children=up.children(listener, workers=2),
                services=up.services(),
                ready=lambda: listening.answers(url),
                say=lambda name, line: print(f"{name:<9} | {line}", file=lines),
                changed=lambda pids: file.write(url=url, pids=pids),
            )
            up.obey_signals(supervisor)
            try:
                display.step(f"Starting web, worker, schedule and sequencer ({url}; log: {log})")
                supervisor.start()
                supervisor.wait_ready(at_most_s=up.READY_S)
                stage = main_job.Stage(
                    url=url, cast=players, display=display, reports=Path(settings.REPORTS_DIR)
                )
                data = options["data"]
                at = timezone.now()
                outcome = (
                    folder_job.run(stage, data, now=at) if data else main_job.run(stage, now=at)
                )
                self._tell(display, outcome, url, players)
                if not options["no_serve"]:
                    display.step("The site keeps running; Ctrl-C ends it")
                    supervisor.wait()
            finally:
                supervisor.stop()
                supervisor.wait()
                lease.release_all()

    def _tell(
        self, display: Display, outcome: main_job.Outcome, url: str, players: cast.Cast
    ) -> None:
        display.step("What was found")
        main_job.show_findings(display, outcome.inspection)
        display.step("Done")
        display.say(f"PDF: {outcome.pdf}")
        display.say(f"Site: {url}/admin/  API: {url}/api/v1/  schema: {url}/api/schema/")
        names = ", ".join(name for name, _ in cast.people_of_the_plant())
        display.say(f"Sign in as one of {names}; password: {players.password}")
