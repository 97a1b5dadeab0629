"""Run the penicillin fed-batch open loop under given inputs; a run above its tolerance has failed."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twins.models import integrate
from twins.models.penicillin_fed_batch import integration, measuring, parameters
from twins.models.penicillin_fed_batch import layout as at

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Run:
    """States of shape (times, states) at the start and at every end, with the worst error."""

    ends_h: FloatArray
    states: FloatArray
    error: float


def inoculated() -> FloatArray:
    """Return the states at inoculation."""
    return measuring.INITIAL[:, 0].copy()


def simulate(
    initial: FloatArray,
    inputs: FloatArray,
    *,
    ends_h: FloatArray,
    constants: FloatArray | None = None,
    steps_an_hour: int = integration.STEPS_AN_HOUR,
    start_h: float = 0.0,
) -> Run:
    """Integrate over the intervals; raise `IntegrationInaccurate`.

    `inputs` (times, inputs) hold during the interval that ends there, and so do `constants` where
    they have a row a time.
    """
    p = parameters.nominal() if constants is None else np.asarray(constants, dtype=np.float64)
    rows = np.ascontiguousarray(np.broadcast_to(p, (len(ends_h), p.shape[-1])))
    states = np.empty((len(ends_h), at.STATES))
    error = integration.trajectory(
        np.asarray(initial, dtype=np.float64), rows, inputs, ends_h, start_h,
        float(steps_an_hour), states,
    )  # fmt: skip
    integrate.require(error, tolerance=integration.TOLERANCE)
    return Run(
        np.concatenate([[start_h], ends_h]), np.concatenate([initial[np.newaxis], states]), error
    )
