"""Repeat past predictions from their stored input, and compare every byte."""

from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import QuerySet

from compliance.refusals import Refused
from twins.predictions import replays
from twins.predictions.asked import rooms
from twins.predictions.models import Prediction, PredictionState
from twins.predictions.replays import Replay


class Command(BaseCommand):
    help = (
        "Run predictions and what was made of them again in this process and compare the output byte "
        "for byte; ends with 1 when one differs."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        named = [room.name for room in rooms.all_of_them()]
        parser.add_argument(
            "run", nargs="*", type=int, help="id of a prediction, or of what --of names"
        )
        parser.add_argument("--of", default="prediction", choices=["prediction", *named])
        parser.add_argument(
            "--all", action="store_true", help="every run of every kind that is done"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        repeated = _Repeated(self.stdout.write)
        if options["all"]:
            repeated.add(_predictions().filter(state=PredictionState.DONE), replays.replay)
            for room in rooms.all_of_them():
                repeated.add(room.ended(), room.replay, named=room.name)
        elif options["run"]:
            repeated.add_these(options["run"], of=options["of"])
        else:
            raise CommandError("name a prediction, or --all")
        if failed := repeated.failed():
            raise CommandError(failed)
        self.stdout.write(f"{repeated.count} replayed, all identical to the byte")


class _Repeated:
    """Counts what is repeated, and says of each run whether it came out the same."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self.count = 0
        self.different: list[str] = []
        self.refused: list[str] = []

    def failed(self) -> str:
        """Say which differ and which could not be repeated, and why; nothing when all came out."""
        differing = f"{len(self.different)} of {self.count} differ from their record: "
        refused = f"{len(self.refused)} of {self.count} could not be repeated: "
        said = [(differing, ", ".join(self.different)), (refused, "; ".join(self.refused))]
        return "\n".join(f"{what}{which}" for what, which in said if which)

    def add_these(self, wanted: list[int], *, of: str) -> None:
        """Repeat the runs of a kind with these ids."""
        for room in rooms.all_of_them():
            if room.name == of:
                return self.add(_these(room.ended(), wanted, of=of), room.replay, named=of)
        return self.add(_these(_predictions(), wanted, of=of), replays.replay)

    def add(self, rows: QuerySet[Any], replay: Callable[[Any], Replay], *, named: str = "") -> None:
        for row in rows.iterator(chunk_size=10):
            self.count += 1
            name = f"{named} {row.pk}".strip()
            try:
                found = replay(row)
            except Refused as refused:  # its twin is not here, or it is not done: the others are
                self.refused.append(f"{name} ({refused})")
                self._say(f"{name}\t{row}\tNOT REPEATED\t{refused}")
                continue
            if not found.identical:
                self.different.append(name)
            said = "identical" if found.identical else "DIFFERENT"
            self._say(f"{name}\t{row}\t{said}\t{found.computed_digest}")
            for difference in found.differences:
                self._say(f"\t{difference}")


def _predictions() -> QuerySet[Prediction]:
    return Prediction.objects.select_related("model_version").order_by("pk")


def _these(rows: QuerySet[Any], wanted: list[int], *, of: str) -> QuerySet[Any]:
    found = rows.filter(pk__in=wanted)
    known = set(found.values_list("pk", flat=True))
    if unknown := [str(pk) for pk in wanted if pk not in known]:
        raise CommandError(f"there is no {of} {', '.join(unknown)}")
    return found
