"""What a move departs from: the feed of each hour to come, and how far a twin can follow."""

from dataclasses import dataclass
from itertools import pairwise

from twins.models import feeding, projection
from twins.models.cho_fed_batch.declared import FEED_DAILY_DOMAIN
from twins.models.penicillin_fed_batch import planning
from twins.models.penicillin_fed_batch.asking import FermentationRequest
from twins.models.penicillin_fed_batch.declared import DOMAIN
from twins.models.requests import ForecastRequest, Request, RequestInvalid


@dataclass(frozen=True)
class Lever:
    """The rate of every interval between `ends_h` without a move, L/h, and the highest to be judged.

    Of a culture it is the one that is commanded, of which its pump may deliver a share; of a
    fermentation the one that flows, as its meter reads it.
    """

    ends_h: tuple[float, ...]
    rates: tuple[float, ...]
    highest: float


def of(forecast: Request) -> Lever:
    """Return the lever of a process: the feed of a culture, the sugar of a fermentation."""
    if isinstance(forecast, ForecastRequest):
        ends_h = projection.ends(forecast)
        rates = [
            feeding.mean_rate(forecast.feed, start_h=start_h, end_h=end_h)
            for start_h, end_h in pairwise(ends_h)
        ]
        # What the twin declares about a day's feed.
        highest = FEED_DAILY_DOMAIN.high * forecast.initial["volume_l"] / 24.0
        return Lever(ends_h, tuple(rates), highest)
    if isinstance(forecast, FermentationRequest):
        return Lever(
            planning.ends(forecast),
            planning.hourly(forecast, planning.SUGAR),
            DOMAIN[planning.SUGAR].high,
        )
    raise RequestInvalid("nobody moves anything of this process")
