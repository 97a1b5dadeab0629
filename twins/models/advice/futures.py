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
from twins.models.cho_fed_batch import equations, kernel, measuring, members
from twins.models.cho_fed_batch.members import STATES, FloatArray
from twins.models.estimation import MEMBERS
from twins.models.integrate import Solution
from twins.models.projection import Projection
from twins.models.requests import ForecastRequest

OF_EACH = 16
COUNT = OF_EACH * MEMBERS
_STREAM_FUTURES = 4


@dataclass(frozen=True)
class Futures:
    """The ensemble of a batch at `as_of_h` with all that chance will do to it, drawn once."""

    request: ForecastRequest
    rows: FloatArray
    of_each: int = OF_EACH

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
