"""Carry an estimated ensemble into the future under the recipe's feed."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from twins.models import ensemble, estimation, feeding, integrate
from twins.models.cho_fed_batch import equations, kernel, measuring, members
from twins.models.cho_fed_batch.members import STATES
from twins.models.estimation import MEMBERS
from twins.models.integrate import Solution
from twins.models.requests import ForecastRequest

FloatArray = NDArray[np.float64]

_STREAM_FUTURE = 3
Draw = Callable[[int], FloatArray]  # the normals of a step, of the shape of the rows


@dataclass(frozen=True)
class Projection:
    """Paths of the process values, each of shape (members, times); time 0 is `as_of_h`.

    `shifts` are added to the log-odds of the share that crosses a limit of a tag, as in `Foretold`.
    """

    ends_h: tuple[float, ...]
    paths: dict[str, FloatArray]
    error: float
    shifts: Mapping[str, float] = field(default_factory=dict)


def ends(request: ForecastRequest) -> tuple[float, ...]:
    """Return the moments of a projection: as of, then every hour to the horizon."""
    count = math.ceil(request.horizon_h)
    hours = [min(float(hour), request.horizon_h) for hour in range(count + 1)]
    return tuple(request.as_of_h + hour for hour in hours)


def project(request: ForecastRequest, rows: FloatArray, *, draw: Draw | None = None) -> Projection:
    """Project one ensemble, or several side by side that share their future noise.

    `rows` has MEMBERS columns for each ensemble; with `draw`, as many as that draws for a step.
    Raises `IntegrationInaccurate`.
    """
    ends_h = ends(request)
    drawn_for = draw or _shared(request, rows)
    solution = integrate.begin(rows[:STATES])
    uncertain = rows[STATES:]
    recorded = [rows]
    for step, (start_h, end_h) in enumerate(pairwise(ends_h)):
        duration_h = end_h - start_h
        rate = feeding.mean_rate(request.feed, start_h=start_h, end_h=end_h)
        solution = kernel.advance(
            solution,
            members.coefficients(recorded[-1]),
            members.feed(recorded[-1], request, commanded_l_per_h=rate),
            duration_h=duration_h,
            steps=estimation.STEPS_AN_HOUR,
        )
        drawn = math.sqrt(duration_h) * drawn_for(step)
        noise = 1.0 + measuring.PROCESS_NOISE * drawn[:STATES]
        solution = Solution(fine=solution.fine * noise, coarse=solution.coarse * noise)
        uncertain = uncertain + members.FUTURE_WALK * drawn[STATES:]
        now = members.bounded(np.concatenate([solution.fine, uncertain], axis=0))
        uncertain = now[STATES:]
        recorded.append(now)
    error = integrate.error(solution, scale=equations.SCALE)
    integrate.require(error, tolerance=estimation.TOLERANCE)
    return Projection(
        ends_h=ends_h,
        paths={
            tag: np.stack([value(now) for now in recorded], axis=-1)
            for tag, value in measuring.PROCESS_VALUES.items()
        },
        error=error,
    )


def _shared(request: ForecastRequest, rows: FloatArray) -> Draw:
    def draw(step: int) -> FloatArray:
        drawn = ensemble.standard_normals(
            seed=request.seed, stream=(_STREAM_FUTURE, step), shape=(rows.shape[0], MEMBERS)
        )
        return np.tile(drawn, (1, rows.shape[-1] // MEMBERS))

    return draw
