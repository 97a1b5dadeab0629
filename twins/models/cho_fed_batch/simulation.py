"""Run the CHO fed-batch open loop from inoculation, as the recipe says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twins.models import integrate
from twins.models.cho_fed_batch import equations, kernel
from twins.models.cho_fed_batch.equations import STATE_NAMES, Coefficients, Feed

FloatArray = NDArray[np.float64]

TOLERANCE = 1e-4


@dataclass(frozen=True)
class Run:
    """States of shape (states, times) at the start and at every end, with the worst error."""

    ends_h: tuple[float, ...]
    states: FloatArray
    error: float


def simulate(
    initial: Mapping[str, float],
    *,
    ends_h: Sequence[float],
    rates_l_per_h: Sequence[float],
    feed_glucose_mmol_l: float,
    feed_glutamine_mmol_l: float,
    coefficients: Coefficients | None = None,
    steps_an_interval: int = 4,
) -> Run:
    """Integrate from 0 over the intervals, one feed rate each; raise `IntegrationInaccurate`."""
    constants = coefficients or Coefficients()
    solution = integrate.begin(np.array([[float(initial[name])] for name in STATE_NAMES]))
    recorded = [solution.fine[:, 0]]
    worst, start_h = 0.0, 0.0
    for end_h, rate in zip(ends_h, rates_l_per_h, strict=True):
        feed = Feed(rate, feed_glucose_mmol_l, feed_glutamine_mmol_l)
        solution = kernel.advance(
            solution,
            constants,
            feed,
            duration_h=end_h - start_h,
            steps=steps_an_interval,
        )
        worst = max(worst, integrate.error(solution, scale=equations.SCALE))
        recorded.append(solution.fine[:, 0])
        start_h = end_h
    integrate.require(worst, tolerance=TOLERANCE)
    return Run(ends_h=(0.0, *ends_h), states=np.stack(recorded, axis=-1), error=worst)
