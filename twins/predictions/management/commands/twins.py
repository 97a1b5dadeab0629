"""Work with trained batch twins: list, predict, train, evaluate."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from compliance.refusals import Refused
from twins.hub import batch_models
from twins.predictions import batch_replays, one_thread

_DATA = "parquet or CSV file of batches, one row a sample"


class Command(BaseCommand):
    help = "Replay files of batches with a trained twin, or train and measure one."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        acts = parser.add_subparsers(dest="act", required=True)
        acts.add_parser("list", help="name the trained twins")
        register = acts.add_parser("register", help="register a trained twin with its dossier")
        register.add_argument("--model", required=True, metavar="NAME@VERSION")
        predict = acts.add_parser("predict", help="replay a file, sample by sample")
        predict.add_argument("--data", required=True, type=Path, help=_DATA)
        predict.add_argument("--model", required=True, metavar="NAME@VERSION")
        predict.add_argument("--out", required=True, type=Path, help="parquet or CSV file to write")
        for act, text in (("train", "train a new version"), ("evaluate", "measure, nested")):
            learn = acts.add_parser(act, help=text)
            learn.add_argument("--data", required=True, type=Path, help=_DATA)
            learn.add_argument("--labels", required=True, type=Path)
            learn.add_argument("--truth", type=Path, help="hidden states, of a simulated campaign")
            if act == "train":
                learn.add_argument("--out", required=True, metavar="NAME@VERSION")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["act"] in ("train", "evaluate"):
            one_thread.pin(self)
        try:
            match options["act"]:
                case "list":
                    self.stdout.write("\n".join(batch_models.labels()) or "none")
                case "register":
                    version = batch_models.register(options["model"], at=timezone.now())
                    self.stdout.write(f"{version.name} is registered as version {version.pk}")
                case "predict":
                    self.stdout.write(
                        batch_replays.predict(options["data"], options["model"], options["out"])
                    )
                case "train":
                    path = batch_replays.train_and_keep(
                        options["data"], options["labels"], options["truth"], options["out"]
                    )
                    self.stdout.write(f"{options['out']} is trained and frozen in {path}")
                case "evaluate":
                    batch_replays.evaluate(
                        options["data"], options["labels"], options["truth"], self._say
                    )
        except Refused as refused:
            raise CommandError(f"{refused.code}: {refused}") from refused

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
