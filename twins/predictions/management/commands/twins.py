"""Work with twins: batch twins are trained, FMUs imported, mechanistic ones fitted and checked."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from compliance.refusals import Refused
from twins.hub import batch_models, co_simulation_models, process_models
from twins.models.co_simulation import simulation
from twins.models.co_simulation.processes import Limits
from twins.models.cross_checks import TOLERANCE
from twins.predictions import (
    batch_files,
    batch_replays,
    co_simulations,
    one_thread,
    process_files,
    process_monitors,
    process_qualities,
)
from twins.predictions.process_monitors import Layout
from twins.predictions.process_qualities import Question

# What is kept under NAME@VERSION, by kind.
_ROOMS = (batch_models, co_simulation_models, process_models)
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
        explain = acts.add_parser("explain", help="say what an alarm may be, and what it cost")
        explain.add_argument("--data", required=True, type=Path, help=_DATA)
        explain.add_argument("--batch", required=True, metavar="NAME", help="one of the file")
        explain.add_argument("--until-h", type=float, metavar="H", help="look at nothing later")
        explain.add_argument("--onset-h", type=float, metavar="H", help="else that of the alarm")
        explain.add_argument("--end-h", type=float, metavar="H", help="when the product counts")
        explain.add_argument("--out", required=True, type=Path, help="JSON file to write")
        for act, text in (("train", "train a new version"), ("evaluate", "measure, nested")):
            learn = acts.add_parser(act, help=text)
            learn.add_argument("--data", required=True, type=Path, help=_DATA)
            learn.add_argument("--labels", required=True, type=Path)
            learn.add_argument("--truth", type=Path, help="hidden states, of a simulated campaign")
            if act == "train":
                learn.add_argument("--out", required=True, metavar="NAME@VERSION")

        self._add_co_simulation(acts)
        self._add_mechanistic(acts)
        self._add_monitor(acts.add_parser("monitor", help="compare any process with its normal"))
        self._add_regress(acts.add_parser("regress", help="foresee a quality, judged in time"))

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
        fit.add_argument(
            "--model", required=True, choices=["cho-fed-batch", "penicillin-fed-batch"]
        )
        fit.add_argument("--data", required=True, type=Path, help=_DATA)
        fit.add_argument(
            "--assume", action="append", default=[], type=_assumption, metavar="NAME=VALUE",
            help="a state at hour 0 or a property of the feed that the file does not have",
        )  # fmt: skip
        fit.add_argument(
            "--constants", default="", metavar="NAME,NAME", help="else all that it can be fitted to"
        )

    def _add_monitor(self, monitor: CommandParser) -> None:
        monitor.add_argument("--reference", type=Path, help="file of the normal process")
        monitor.add_argument("--model", metavar="NAME@VERSION", help="or a monitor that was kept")
        monitor.add_argument("--data", type=Path, help="file to judge; else the reference itself")
        monitor.add_argument("--out", required=True, type=Path, help="parquet or CSV file to write")
        monitor.add_argument(
            "--parts", type=Path, help="file for the part of each signal and moment"
        )
        monitor.add_argument("--charts", type=Path, help="folder for a chart of each odd batch")
        monitor.add_argument("--batch", metavar="COLUMN", help="names the batch of a row")
        monitor.add_argument("--continuous", action="store_true", help="there are no batches")
        monitor.add_argument("--phase", metavar="COLUMN", help="number of the phase, never falling")
        monitor.add_argument("--time", metavar="COLUMN", help="when a sample was taken; no signal")
        monitor.add_argument("--quality", metavar="COLUMN", help="result of a batch, to foresee")
        monitor.add_argument(
            "--without", default="", metavar="A,B", help="columns that are no signals"
        )
        monitor.add_argument("--false-alarms", type=float, default=None, metavar="SHARE")
        monitor.add_argument("--keep", metavar="NAME@VERSION", help="keep the monitor, frozen")

    def _add_regress(self, regress: CommandParser) -> None:
        regress.add_argument("--data", required=True, type=Path)
        regress.add_argument("--target", metavar="COLUMN", help="the result to foresee")
        regress.add_argument(
            "--model", metavar="NAME@VERSION", help="or a prediction that was kept"
        )
        regress.add_argument("--out", required=True, type=Path, help="parquet or CSV file to write")
        regress.add_argument(
            "--order", metavar="COLUMN", help="order of time; else that of the file"
        )
        regress.add_argument("--group", metavar="COLUMN", help="the product of a row")
        regress.add_argument("--without", default="", metavar="A,B", help="what is known too late")
        regress.add_argument(
            "--below", type=float, default=float("-inf"), help="foresee this event"
        )
        regress.add_argument("--above", type=float, default=float("inf"), help="foresee this event")
        regress.add_argument(
            "--known-after", type=int, default=1, help="rows until a result is known"
        )
        regress.add_argument("--keep", metavar="NAME@VERSION", help="keep the prediction, frozen")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["act"] in ("train", "evaluate", "monitor", "regress"):
            one_thread.pin(self)
        try:
            self._act(options)
        except Refused as refused:
            raise CommandError(f"{refused.code}: {refused}") from refused
        except MemoryError as error:
            raise CommandError(f"out of memory, and nothing was written: {error}") from error

    def _act(self, options: dict[str, Any]) -> None:
        match options["act"]:
            case "list":
                labels = [label for room in _ROOMS for label in room.labels()]
                self.stdout.write("\n".join(labels) or "none")
            case "register":
                known = (room for room in _ROOMS if options["model"] in room.labels())
                room = next(known, batch_models)
                version = room.register(options["model"], at=timezone.now())
                self.stdout.write(f"{version.name} is registered as version {version.pk}")
            case "predict":
                self._say(batch_replays.predict(options["data"], options["model"], options["out"]))
            case "explain":
                from twins.predictions import explaining  # compiles the penicillin model

                moments = explaining.Moments(
                    until_h=options["until_h"], onset_h=options["onset_h"], end_h=options["end_h"]
                )
                said = explaining.explain(
                    options["data"], options["batch"], moments, options["out"]
                )
                self.stdout.write("\n".join(said))
            case "train":
                path = batch_replays.train_and_keep(
                    options["data"], options["labels"], options["truth"], options["out"]
                )
                self.stdout.write(f"{options['out']} is trained and frozen in {path}")
            case "evaluate":
                batch_replays.evaluate(
                    options["data"], options["labels"], options["truth"], self._say
                )
            case "monitor":
                self._monitor(options)
            case "regress":
                self._regress(options)
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
                self._say(_fitted(options))

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

    def _monitor(self, options: dict[str, Any]) -> None:
        _demand_one(options, "reference", "model")
        if options["model"]:
            trained = process_monitors.opened(options["model"])
        else:
            _demand_one(options, "batch", "continuous")
            if not 0.0 < _rate(options) < 0.5:
                raise CommandError("--false-alarms is a share between 0 and 0.5")
            if options["keep"]:
                batch_models.check_free(options["keep"])
            trained = process_monitors.train(
                options["reference"],
                Layout(
                    batch=options["batch"],
                    phase=options["phase"],
                    time=options["time"],
                    quality=options["quality"],
                    without=_names(options),
                ),
                rate=_rate(options),
                label=options["keep"] or "",
            )
        found = process_monitors.monitor(
            trained,
            options["data"],
            options["out"],
            parts=options["parts"],
            drawn=options["charts"],
        )
        self.stdout.write("\n".join(found))
        if options["keep"] and options["reference"]:
            path = process_monitors.keep(trained, options["keep"])
            self._say(f"{options['keep']} is trained and frozen in {path}")

    def _regress(self, options: dict[str, Any]) -> None:
        _demand_one(options, "target", "model")
        if options["known_after"] < 1:
            raise CommandError("--known-after is at least 1: the row before")
        if options["out"].resolve() == options["data"].resolve():
            raise batch_files.OverInput(f"{options['out']} is the data itself; name another file")
        sheet = process_files.read(options["data"])
        if options["model"]:
            kept = process_qualities.opened(options["model"])
            lines = process_qualities.foresee(sheet, kept, options["order"], options["out"])
            self.stdout.write("\n".join(lines))
            return
        question = Question(
            target=options["target"],
            group=options["group"],
            order=options["order"],
            without=_names(options),
            below=options["below"],
            above=options["above"],
            known_after=options["known_after"],
        )
        if options["keep"]:
            batch_models.check_free(options["keep"])
        answered = process_qualities.ask(sheet, question)
        self.stdout.write("\n".join(process_qualities.table(answered, question)))
        process_qualities.demand_skill(answered, question)
        process_qualities.write_judged(answered, options["out"])
        if options["keep"]:
            kept = process_qualities.foreseer_of(answered, question)
            path = process_qualities.keep(
                kept, answered, data=options["data"], label=options["keep"]
            )
            self.stdout.write(f"{options['keep']} is trained and frozen in {path}")

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def _fitted(options: dict[str, Any]) -> str:
    # SciPy, and compiled equations, are needed here only.
    from twins.predictions import culture_files, fermentation_files

    data, chosen = options["data"], [one for one in options["constants"].split(",") if one]
    assumed = dict(options["assume"])
    if options["model"] == "penicillin-fed-batch":
        return fermentation_files.fit(data, assumed=assumed, constants=chosen)
    return culture_files.fit(data, assumed=assumed, constants=chosen)


def _assumption(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    return name, float(value)


def _limits(options: dict[str, Any]) -> Limits:
    return Limits(
        cpu_s=options["cpu_seconds"],
        wall_s=3.0 * options["cpu_seconds"],
        memory_bytes=options["memory_mib"] << 20,
    )


def _names(options: dict[str, Any]) -> tuple[str, ...]:
    return tuple(one.strip() for one in options["without"].split(",") if one.strip())


def _demand_one(options: dict[str, Any], one: str, other: str) -> None:
    if bool(options[one]) == bool(options[other]):
        raise CommandError(f"say either --{one} or --{other}")


def _rate(options: dict[str, Any]) -> float:
    """Return the share of false alarms: of batches one in twenty, of samples one in a hundred."""
    usual = 0.01 if options["continuous"] else 0.05
    return usual if options["false_alarms"] is None else float(options["false_alarms"])
