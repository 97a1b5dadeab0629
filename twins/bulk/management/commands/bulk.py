"""Bulk runs of twins from the command line: ask, watch, work, cancel, retry, replay."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerUnavailable

from compliance import times
from compliance.access.models import User
from compliance.refusals import Refused
from twins.bulk import asking, batches_named, running, tasks
from twins.bulk.models import BulkRun, BulkState

_WATCH_S = 1.0


class Command(BaseCommand):
    help = (
        "Ask for bulk runs of twins, watch them, work on them here, cancel, retry or replay them."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        doings = parser.add_subparsers(dest="act", required=True)
        ask = doings.add_parser("predictions", help="predict batches at all moments they reached")
        ask.add_argument("batch", nargs="+")
        ask.add_argument("--as-of", action="append", metavar="MOMENT", help="only this, repeatable")
        one = doings.add_parser("futures", help="run many futures of one batch")
        one.add_argument("batch")
        one.add_argument("--as-of", required=True, metavar="MOMENT")
        one.add_argument("--members", type=int, default=10_000)
        one.add_argument("--horizon-h", type=int)
        for doing in (ask, one):
            doing.add_argument("--queue", action="store_true", help="send it to the workers")
        for name, text in (("cancel", "run no further part"), ("retry", "try failed parts again")):
            doing = doings.add_parser(name, help=text)
            doing.add_argument("number", nargs=1)
        for doing in [
            doings.choices[name] for name in ("predictions", "futures", "cancel", "retry")
        ]:
            doing.add_argument("--by", required=True, metavar="USERNAME")
            doing.add_argument("--reason", required=True)
        for name, text in (
            ("status", "say how far a run is"),
            ("watch", "wait until a run has ended"),
            ("work", "do parts in this process until none is left"),
            ("replay", "do a finished run again from its record, and compare"),
        ):
            doings.add_parser(name, help=text).add_argument("number", nargs="+")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            getattr(self, f"_{options['act']}")(options)
        except (Refused, times.NotAMoment) as refused:
            raise CommandError(str(refused)) from refused
        except BrokerUnavailable as error:
            raise CommandError(f"no broker: {error}") from error

    def _predictions(self, options: dict[str, Any]) -> None:
        moments = options["as_of"] and [times.parse(one) for one in options["as_of"]]
        batches = batches_named.all_of(options["batch"])
        self._asked(asking.predictions(batches, as_of=moments, **_who(options)), options)

    def _futures(self, options: dict[str, Any]) -> None:
        run = asking.of_futures(
            batches_named.one(options["batch"]),
            as_of=times.parse(options["as_of"]),
            members=options["members"],
            horizon_h=options["horizon_h"],
            **_who(options),
        )
        self._asked(run, options)

    def _asked(self, run: BulkRun, options: dict[str, Any]) -> None:
        if options["queue"]:
            tasks.start(run)
        self.stdout.write(run.number)

    def _cancel(self, options: dict[str, Any]) -> None:
        self._say(running.cancel(_run(*options["number"]), **_who(options)))

    def _retry(self, options: dict[str, Any]) -> None:
        self._say(running.retry(_run(*options["number"]), **_who(options)))

    def _status(self, options: dict[str, Any]) -> None:
        for number in options["number"]:
            self._say(_run(number))

    def _watch(self, options: dict[str, Any]) -> None:
        for number in options["number"]:
            while (run := _run(number)).state == BulkState.RUNNING:
                time.sleep(_WATCH_S)
            self._say(run)

    def _work(self, options: dict[str, Any]) -> None:
        for number in options["number"]:
            run = _run(number)
            while running.go_on(run):
                pass
            self._say(_run(number))

    def _replay(self, options: dict[str, Any]) -> None:
        different = []
        for number in options["number"]:
            found = running.repeat(_run(number))
            for difference in found.different:
                self.stdout.write(f"\t{difference}")
            is_same = "identical to the byte" if found.identical else "DIFFERENT"
            self.stdout.write(f"{number}\t{is_same}\t{found.computed_digest}")
            if not found.identical:
                different.append(number)
        if different:
            raise CommandError(f"not as recorded: {', '.join(different)}")

    def _say(self, run: BulkRun) -> None:
        found = running.progress(run)
        self.stdout.write(
            f"{run.number}\t{run.state}\t{found.done} of {run.part_count} done, "
            f"{found.failed} failed, {found.claimed} under way\t{run.result_digest}"
        )


def _run(number: str) -> BulkRun:
    run = BulkRun.objects.filter(number=number).first()
    if run is None:
        raise CommandError(f"there is no bulk run {number}")
    return run


def _who(options: dict[str, Any]) -> dict[str, Any]:
    person = User.objects.filter(username=options["by"]).first()
    if person is None:
        raise CommandError(f"there is nobody named {options['by']}")
    return {"actor": person, "at": timezone.now(), "reason": options["reason"]}
