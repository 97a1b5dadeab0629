"""Advise on the feed of a CHO culture: its futures, and a nonlinear programme that proposes moves."""

from collections.abc import Collection

from twins.models import domain, estimation, requests
from twins.models.advice import schedules
from twins.models.advice.advisers import Begun
from twins.models.advice.futures import COUNT, Futures
from twins.models.advice.program import Program
from twins.models.advice.questions import AdviceRequest
from twins.models.advice.search import Judge
from twins.models.cho_fed_batch import measuring
from twins.models.cho_fed_batch.declared import DECLARATION
from twins.models.projection import Projection
from twins.models.requests import ForecastRequest

__all__ = ["COUNT", "DECLARATION"]


def require(forecast: ForecastRequest) -> None:
    """Raise `RequestInvalid` when the request cannot be read as a culture."""
    requests.require_sound(forecast)


def moved(forecast: ForecastRequest) -> Collection[str]:
    """Return the process values on which the feed acts."""
    return measuring.PROCESS_VALUES.keys()


def begin(forecast: ForecastRequest) -> Begun | tuple[str, ...]:
    """Return the futures, or why there are none; raise `IntegrationInaccurate`."""
    means = domain.means_by_tag(forecast)
    reasons = domain.outside(forecast, means) or domain.undecided(forecast, means, None)
    if reasons:
        return reasons
    estimate = estimation.assimilate(forecast)
    wide = domain.undecided(forecast, means, estimate)
    return wide or Begun(Futures(forecast, estimate.rows), estimate, estimate.error)


def program(
    request: AdviceRequest[ForecastRequest], begun: Begun, as_is: Projection, judge: Judge
) -> Program:
    """Return what proposes moves."""
    blocks = len(schedules.of(request, start=request.delay_h).blocks)
    return Program(request, begun.estimate.rows, as_is, judge.sides, blocks=blocks)
