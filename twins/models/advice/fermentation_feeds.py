"""Advise on the sugar of a penicillin batch: its futures, and shares of the strongest move."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from statistics import NormalDist

import numpy as np

from twins.models import ensemble
from twins.models.advice import chances
from twins.models.advice.advisers import Begun
from twins.models.advice.questions import AdviceRequest
from twins.models.advice.schedules import Schedule
from twins.models.advice.search import Departures, Judge
from twins.models.describing import FloatArray
from twins.models.penicillin_fed_batch import (
    deviation_forecast,
    measuring,
    planning,
    projecting,
)
from twins.models.penicillin_fed_batch.asking import FermentationRequest
from twins.models.penicillin_fed_batch.declared import DECLARATION
from twins.models.penicillin_fed_batch.deviation_forecast import Future
from twins.models.penicillin_fed_batch.following import MEMBERS, SAMPLES_AN_HOUR
from twins.models.projection import Projection

__all__ = ["DECLARATION"]

COUNT = MEMBERS
# The search asks to keep others farther away by up to one and a half standard deviations: then a third
# of the move is left.
_FARTHEST = 2.25
_SUGAR = measuring.INPUT_TAGS.index(planning.SUGAR)


@dataclass(frozen=True)
class Futures:
    """The members of a batch, each with its own noise, under the sugar that flows.

    A rate is what the meter of the feed is to read: a pump that delivers half has to be set to twice
    of it.
    """

    request: FermentationRequest
    future: Future
    of_each: int = 1

    @property
    def ends_h(self) -> tuple[float, ...]:
        """Give the moments: as of, then every hour to the horizon."""
        return self.future.ends_h

    @cached_property
    def _as_is(self) -> FloatArray:
        return np.array(planning.hourly(self.request, planning.SUGAR))

    def under(self, rates_l_per_h: Sequence[float]) -> Projection:
        """Return the paths under one rate an hour; raise `IntegrationInaccurate`."""
        added = np.repeat(np.array(rates_l_per_h) - self._as_is, SAMPLES_AN_HOUR)
        plan = self.future.course.plan.copy()
        plan[:, _SUGAR] = np.maximum(plan[:, _SUGAR] + added, 0.0)
        course = replace(self.future.course, plan=plan)
        found = projecting.project(course, seed=self.request.seed)
        paths = {self.request.name(tag): one for tag, one in found.paths.items()}
        shifts = deviation_forecast.shifts(self.request)
        return Projection(ends_h=self.ends_h, paths=paths, error=found.error, shifts=shifts)


@dataclass(frozen=True)
class Share:
    """Which share of the strongest move is made: that is the distance which it keeps."""

    endangered: FloatArray


@dataclass
class Straight:
    """Moves to one side: as far as range and steps let them, or a share of that.

    Which side is the better one, the futures say once; how large the share is, the search.
    """

    request: AdviceRequest[FermentationRequest]
    judge: Judge
    _side: int = field(default=0, init=False)

    def distances(self, schedule: Schedule, departures: Sequence[float]) -> Share:
        """Return 0 without a move and 1 with one."""
        return Share(np.array([1.0 if any(departures) else 0.0]))

    def strongest(self, schedule: Schedule, *, kept: Sequence[float]) -> Departures:
        """Return the farthest move; less of it when other sides are to be kept farther away."""
        if not self._side:
            self._side = self._better(schedule)
        least = NormalDist().inv_cdf(1.0 - self.request.target)
        share = 1.0 - (kept[0] - least) / _FARTHEST if kept else 1.0
        return tuple(share * one for one in self._farthest(schedule, self._side))

    def smallest(
        self, schedule: Schedule, *, depth: float, kept: Sequence[float], strongest: Departures
    ) -> Departures:
        """Return a share of the strongest move."""
        return tuple(depth * one for one in strongest)

    def _better(self, schedule: Schedule) -> int:
        """Return the side to which the members come less near to the limit, on the average."""
        endangered = self.judge.sides[0]

        def room(side: int) -> float:
            settings = schedule.rounded(self._farthest(schedule, side))
            future = self.judge.ensemble.under(schedule.rates(settings))
            values = future.paths[endangered.limit.tag]
            sign = 1.0 if endangered.side == "low" else -1.0
            holds = chances.applies(endangered, future.ends_h)
            nearest = (sign * (values - endangered.bound))[:, holds].min(axis=1)
            return float(ensemble.mean(nearest))

        return 1 if room(1) >= room(-1) else -1

    def _farthest(self, schedule: Schedule, side: int) -> Departures:
        resolution, reached, found = schedule.room.resolution, 0, []
        for low, high in zip(schedule.lowest, schedule.highest, strict=True):
            farther = reached + side * schedule.step
            reached = min(farther, high) if side > 0 else max(farther, low)
            found.append(reached * resolution)
        return tuple(found)


def require(forecast: FermentationRequest) -> None:
    """Raise `RequestInvalid` when the request cannot be read as a batch."""
    deviation_forecast.require(forecast)


def moved(forecast: FermentationRequest) -> Collection[str]:
    """Return the process values on which the sugar acts."""
    return [forecast.name(tag) for tag in projecting.VALUES]


def begin(forecast: FermentationRequest) -> Begun | tuple[str, ...]:
    """Return the futures, or why there are none; raise `IntegrationInaccurate`."""
    reasons = deviation_forecast.outside(forecast) or deviation_forecast.scarce(forecast)
    if reasons:
        return reasons
    estimate = deviation_forecast.estimate(forecast)
    future = deviation_forecast.begin(forecast, estimate)
    wide = deviation_forecast.wide(forecast, estimate)
    return wide or Begun(Futures(forecast, future), estimate, estimate.error)


def program(
    request: AdviceRequest[FermentationRequest], begun: Begun, as_is: Projection, judge: Judge
) -> Straight:
    """Return what proposes moves."""
    return Straight(request, judge)
