"""Carry a thousand futures of a batch through a feed: sixteen of each estimated member.

This is the judge of every move. The search for one uses a mean member; what is told comes from
here, with the step-halving error of every run.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from twins.models import ensemble, estimation, integrate, projection
from twins.models.advice.answers import Chance
from twins.models.cho_fed_batch import equations, kernel, measuring, members
from twins.models.cho_fed_batch.members import STATES, FloatArray
from twins.models.crossing import Side
from twins.models.estimation import MEMBERS
from twins.models.integrate import Solution
from twins.models.projection import Projection
from twins.models.requests import ForecastRequest

OF_EACH = 16
COUNT = OF_EACH * MEMBERS
_STREAM_FUTURES = 4
_Z90 = 1.6448536269514722


@dataclass(frozen=True)
class Futures:
    """The ensemble of a batch at `as_of_h` with all that chance will do to it, drawn once."""

    request: ForecastRequest
    rows: FloatArray

    @cached_property
    def ends_h(self) -> tuple[float, ...]:
        """Give the moments: as of, then every hour to the horizon."""
        return projection.ends(self.request)

    @cached_property
    def _drawn(self) -> list[FloatArray]:
        """Give the same chance to every feed, so that two of them differ by nothing else."""
        shape = (self.rows.shape[0], COUNT)
        return [
            math.sqrt(end_h - start_h)
            * ensemble.standard_normals(
                seed=self.request.seed, stream=(_STREAM_FUTURES, step), shape=shape
            )
            for step, (start_h, end_h) in enumerate(pairwise(self.ends_h))
        ]

    def under(self, rates_l_per_h: Sequence[float]) -> Projection:
        """Return the paths under one commanded rate an hour; raise `IntegrationInaccurate`."""
        now = np.tile(self.rows, (1, OF_EACH))
        solution = integrate.begin(now[:STATES])
        recorded = [now]
        hours = zip(pairwise(self.ends_h), rates_l_per_h, self._drawn, strict=True)
        for (start_h, end_h), rate, drawn in hours:
            solution = kernel.advance(
                solution,
                members.coefficients(now),
                members.feed(now, self.request, commanded_l_per_h=rate),
                duration_h=end_h - start_h,
                steps=estimation.STEPS_AN_HOUR,
            )
            noise = 1.0 + measuring.PROCESS_NOISE * drawn[:STATES]
            solution = Solution(fine=solution.fine * noise, coarse=solution.coarse * noise)
            uncertain = now[STATES:] + members.FUTURE_WALK * drawn[STATES:]
            now = members.bounded(np.concatenate([solution.fine, uncertain], axis=0))
            recorded.append(now)
        error = integrate.error(solution, scale=equations.SCALE)
        integrate.require(error, tolerance=estimation.TOLERANCE)
        return Projection(
            ends_h=self.ends_h,
            paths={
                tag: np.stack([value(now) for now in recorded], axis=-1)
                for tag, value in measuring.PROCESS_VALUES.items()
            },
            error=error,
        )


def applies(side: Side, ends_h: Sequence[float]) -> list[bool]:
    """Tell for each moment whether the limit holds then."""
    until = side.limit.applies_until_h
    return [end >= side.limit.applies_from_h and (until is None or end <= until) for end in ends_h]


def chance(side: Side, future: Projection) -> Chance:
    """Return how likely a crossing is, with an interval that knows which futures are related."""
    values = future.paths[side.limit.tag]
    beyond = (side.bound - values) if side.side == "low" else (values - side.bound)
    crossed = np.any((beyond > 0.0) & np.array(applies(side, future.ends_h)), axis=-1)
    return interval(crossed.reshape(OF_EACH, MEMBERS).sum(axis=0).tolist())


def interval(crossing: Sequence[int]) -> Chance:
    """Return the share of futures that cross, from how many of each member's `OF_EACH` do.

    Wilson's interval (1927, 10.1080/01621459.1927.10502953) with as many independent futures as
    Kish's design effect leaves; where none or all cross, as many as there are members.
    """
    count = sum(crossing)
    share = (count + 0.5) / (COUNT + 1)
    mean = count / COUNT
    alone = mean * (1.0 - mean) / COUNT
    effect = float(OF_EACH)
    if alone > 0.0:
        between = math.fsum((one / OF_EACH - mean) ** 2 for one in crossing)
        effect = min(max(between / (MEMBERS * (MEMBERS - 1)) / alone, 1.0), effect)
    trials = COUNT / effect
    square = _Z90 * _Z90
    centre = (mean + square / (2.0 * trials)) / (1.0 + square / trials)
    half = _Z90 * math.sqrt(mean * (1.0 - mean) / trials + square / (4.0 * trials * trials))
    half /= 1.0 + square / trials
    return Chance(share, max(min(centre - half, share), 0.0), min(max(centre + half, share), 1.0))
