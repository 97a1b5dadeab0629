"""Post one batch of the simulated plant to a running installation."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from compliance import times
from twins.plant import client, demo_recipe, process, recipe_draft


class Command(BaseCommand):
    help = "Post a simulated batch through the API; run again, it goes on where it was stopped."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--url", required=True, help="of the installation")
        parser.add_argument("--token", required=True, help="of the enrolled device that posts")
        parser.add_argument("--number", required=True, help="of the batch")
        parser.add_argument("--product", default=recipe_draft.PRODUCT_CODE)
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--fault", choices=sorted(process.FAULTS), default=None)
        parser.add_argument(
            "--started-at", help="ISO 8601 with its zone; by default the batch has just ended"
        )
        parser.add_argument("--until-h", type=float, default=None, help="hours of the batch")

    def handle(self, *args: Any, **options: Any) -> None:
        plant = client.Plant(options["url"], options["token"])
        fault = process.FAULTS[options["fault"]] if options["fault"] else None
        try:
            posted = plant.post_batch(
                number=options["number"],
                product=options["product"],
                seed=options["seed"],
                fault=fault,
                started_at=_start(options["started_at"]),
                until_h=options["until_h"],
                progress=self._say if options["verbosity"] > 1 else None,
            )
        except (client.PlantRefused, client.PlantUnheard, client.RecipeUnfit) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"{options['number']}: {posted.sent} messages, {posted.known} of them known before"
        )

    def _say(self, done: int, total: int, text: str) -> None:
        self.stdout.write(f"{done}/{total} {text}")


def _start(text: str | None) -> datetime:
    if text:
        try:
            return times.parse(text)
        except times.NotAMoment as error:
            raise CommandError(str(error)) from error
    # On the day, so that the same command within a day goes on with the same batch.
    whole_h = demo_recipe.HARVEST_H + demo_recipe.LABORATORY_TAKES_H
    today = timezone.now().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return today - timedelta(hours=whole_h)
