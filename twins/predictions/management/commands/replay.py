"""Repeat past predictions from their stored input, and compare every byte."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from twins.predictions import replays
from twins.predictions.models import Prediction, PredictionState


class Command(BaseCommand):
    help = (
        "Run predictions again in this process and compare the output byte for byte; ends with 1 "
        "when one differs."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("prediction", nargs="*", type=int, help="id of a prediction")
        parser.add_argument("--all", action="store_true", help="every prediction that is done")

    def handle(self, *args: Any, **options: Any) -> None:
        wanted = Prediction.objects.select_related("model_version").order_by("pk")
        if options["all"]:
            wanted = wanted.filter(state=PredictionState.DONE)
        elif not options["prediction"]:
            raise CommandError("name a prediction, or --all")
        else:
            wanted = wanted.filter(pk__in=options["prediction"])
            known = set(wanted.values_list("pk", flat=True))
            if unknown := [str(pk) for pk in options["prediction"] if pk not in known]:
                raise CommandError(f"there is no prediction {', '.join(unknown)}")
        count, different = 0, []
        for prediction in wanted.iterator(chunk_size=10):
            try:
                found = replays.replay(prediction)
            except replays.NotReplayable as refused:
                raise CommandError(str(refused)) from refused
            count += 1
            if not found.identical:
                different.append(str(prediction.pk))
            self.stdout.write(
                f"{prediction.pk}\t{prediction}\t"
                f"{'identical' if found.identical else 'DIFFERENT'}\t{found.computed_digest}"
            )
            for difference in found.differences:
                self.stdout.write(f"\t{difference}")
        if different:
            raise CommandError(
                f"{len(different)} of {count} differ from their record: {', '.join(different)}"
            )
        self.stdout.write(f"{count} replayed, all identical to the byte")
