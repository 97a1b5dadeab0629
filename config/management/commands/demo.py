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
from batches.exchange.formats import series_parquet
from batches.recipes.models import MasterRecipe, RecipeState
from config import listening, status
from config.demo import cast, folder_files, folder_job, main_job, master_records
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
        taken = None if options["data"] is None else self._read(options["data"])
        display.step("Setting up the database, people, devices and recipes")
        call_command("migrate", verbosity=0)
        now = timezone.now()
        players = cast.assemble(settings.VAR_DIR / "demo", at=now)
        if taken is None:
            display.step("Filling the store and the workshop")
            cast.furnish(players, at=timezone.now())
        try:
            if taken is not None:
                folder_files.demand_phases(taken, _effective(master_records.VIALS))
            with (
                status.Status(settings.VAR_DIR, started_at=now) as file,
                listening.bind(options["bind"]) as listener,
            ):
                self._perform(file, listener, players, display, options, taken=taken)
        except (folder_files.FileUnfit, listening.CannotBind, status.AlreadyUp, GaveUp) as error:
            raise CommandError(str(error)) from error
        except (Unexpected, PlantRefused, PlantUnheard, RecipeUnfit) as error:
            raise CommandError(f"the demonstration stopped: {error}") from error

    def _read(self, folder: Path) -> folder_files.Taken:
        """Read every file of a folder, before the first thing is set up for it."""
        try:
            found = folders.recognise(folder)
            if found.recognised:
                return folder_files.read(found, at=timezone.now())
        except (folder_files.FileUnfit, series_parquet.ParquetUnavailable) as error:
            raise CommandError(str(error)) from error
        raise CommandError(
            f"{folder} holds nothing this product reads; docs/data.md lists the formats"
        )

    def _perform(
        self,
        file: status.Status,
        listener: socket.socket,
        players: cast.Cast,
        display: Display,
        options: dict[str, Any],
        *,
        taken: folder_files.Taken | None,
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
                at = timezone.now()
                outcome = (
                    main_job.run(stage, now=at)
                    if taken is None
                    else folder_job.run(stage, options["data"], taken, now=at)
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


def _effective(product: str) -> MasterRecipe:
    return MasterRecipe.objects.get(product__code=product, state=RecipeState.EFFECTIVE)
