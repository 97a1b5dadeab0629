"""Work with twins: batch twins are trained, FMUs imported, mechanistic ones fitted and checked."""

import os
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from compliance.refusals import Refused
from twins.hub import batch_models, co_simulation_models
from twins.models.co_simulation import simulation
from twins.models.co_simulation.processes import Limits
from twins.models.cross_checks import TOLERANCE
from twins.predictions import batch_replays, co_simulations

_DATA = "parquet or CSV file of batches, one row a sample"


class Command(BaseCommand):
    help = "Replay files with a twin; train, import, fit or check one."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        acts = parser.add_subparsers(dest="act", required=True)
        acts.add_parser("list", help="name the trained twins and the imported FMUs")
        register = acts.add_parser("register", help="register one of them with its dossier")
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

        self._add_co_simulation(acts)
        self._add_mechanistic(acts)

    def _add_co_simulation(self, acts: Any) -> None:
        bring = acts.add_parser("import-fmu", help="check an FMU and keep it (FMI 2 and 3)")
        bring.add_argument("--fmu", required=True, type=Path)
        bring.add_argument("--out", required=True, metavar="NAME@VERSION")
        bring.add_argument("--intended-use", required=True, metavar="TEXT")
        run = acts.add_parser("simulate", help="run an imported FMU on a file of inputs")
        run.add_argument("--model", required=True, metavar="NAME@VERSION")
        run.add_argument("--inputs", required=True, type=Path, help="columns `name [unit]`")
        run.add_argument("--out", required=True, type=Path, help="parquet or CSV file to write")
        run.add_argument("--step", type=float, help="of communication, in the FMU's unit of time")
        run.add_argument("--tolerance", type=float, default=simulation.TOLERANCE)
        for one in (bring, run):
            one.add_argument("--cpu-seconds", type=int, default=Limits().cpu_s)
            one.add_argument("--memory-mib", type=int, default=Limits().memory_bytes >> 20)

    def _add_mechanistic(self, acts: Any) -> None:
        check = acts.add_parser("cross-check", help="solve a twin's equations a second way")
        check.add_argument("--model", required=True, metavar="NAME")
        check.add_argument("--tolerance", type=float, default=TOLERANCE)
        fit = acts.add_parser("fit", help="estimate constants from own cultures")
        fit.add_argument("--model", required=True, choices=["cho-fed-batch"])
        fit.add_argument("--data", required=True, type=Path, help=_DATA)
        fit.add_argument(
            "--assume", action="append", default=[], type=_assumption, metavar="NAME=VALUE",
            help="a state at hour 0 or a property of the feed that the file does not have",
        )  # fmt: skip
        fit.add_argument("--constants", default="", metavar="NAME,NAME", help="else all")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["act"] in ("train", "evaluate"):
            self._pin_threads()
        try:
            self._act(options)
        except Refused as refused:
            raise CommandError(f"{refused.code}: {refused}") from refused

    def _act(self, options: dict[str, Any]) -> None:
        match options["act"]:
            case "list":
                labels = (*batch_models.labels(), *co_simulation_models.labels())
                self.stdout.write("\n".join(labels) or "none")
            case "register":
                is_fmu = options["model"] in co_simulation_models.labels()
                room = co_simulation_models if is_fmu else batch_models
                version = room.register(options["model"], at=timezone.now())
                self.stdout.write(f"{version.name} is registered as version {version.pk}")
            case "predict":
                self._say(batch_replays.predict(options["data"], options["model"], options["out"]))
            case "train":
                path = batch_replays.train_and_keep(
                    options["data"], options["labels"], options["truth"], options["out"]
                )
                self.stdout.write(f"{options['out']} is trained and frozen in {path}")
            case "evaluate":
                batch_replays.evaluate(
                    options["data"], options["labels"], options["truth"], self._say
                )
            case "import-fmu":
                self._import(options)
            case "simulate":
                self._say(
                    co_simulations.simulate(
                        options["model"], options["inputs"], options["out"], step=options["step"],
                        tolerance=options["tolerance"], limits=_limits(options),
                    )
                )  # fmt: skip
            case "cross-check":
                from twins.predictions import cross_checking  # compiles the penicillin model

                self._say(cross_checking.run(options["model"], tolerance=options["tolerance"]))
            case "fit":
                from twins.predictions import culture_files  # SciPy, and needed here only

                chosen = [one for one in options["constants"].split(",") if one]
                assumed = dict(options["assume"])
                self._say(culture_files.fit(options["data"], assumed=assumed, constants=chosen))

    def _import(self, options: dict[str, Any]) -> None:
        opened = co_simulation_models.import_(
            options["fmu"],
            options["out"],
            intended_use=options["intended_use"],
            at=timezone.now(),
            limits=_limits(options),
        )
        found = opened.description
        self._say(
            f"{opened.label} is imported and frozen: FMI {found.fmi_version}, {opened.sha256}"
        )
        for causality in ("input", "parameter", "output"):
            columns = ", ".join(one.column for one in found.of(causality)) or "none"
            self._say(f"{causality}s: {columns}")
        if found.left_out:
            self._say(f"outputs that a run does not give: {', '.join(found.left_out)}")

    def _pin_threads(self) -> None:
        """Start again with one thread: sums over several depend on the machine."""
        from_shell = getattr(self, "_called_from_command_line", False)
        if from_shell and os.environ.get("OPENBLAS_NUM_THREADS") != "1":
            pinned = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
            os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **pinned})  # noqa: S606 -- ourselves

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def _assumption(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    return name, float(value)


def _limits(options: dict[str, Any]) -> Limits:
    return Limits(
        cpu_s=options["cpu_seconds"],
        wall_s=3.0 * options["cpu_seconds"],
        memory_bytes=options["memory_mib"] << 20,
    )
