"""Integrate an ensemble with fixed-step RK4 that always carries its step-halving error.

Only additions, multiplications and divisions of IEEE doubles are used, element by element: no BLAS,
no threads and no vector library for transcendental functions, so the bits do not depend on the load
of the machine.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Derivative = Callable[[FloatArray], FloatArray]

# The leading error term of a fourth-order method shrinks by 2**4 when the step is halved.
_RICHARDSON = 15.0


class IntegrationInaccurate(ArithmeticError):
    """The step-halving error is above the tolerance: this is a failed run, not a result."""

    code = "integration-inaccurate"


@dataclass(frozen=True)
class Solution:
    """The same ensemble twice: with the step asked for halved, and with the step asked for."""

    fine: FloatArray
    coarse: FloatArray


def begin(state: FloatArray) -> Solution:
    """Start both paths from one state of shape (states, members)."""
    return Solution(fine=state, coarse=state)


def rk4(derivative: Derivative, state: FloatArray, *, duration_h: float, steps: int) -> FloatArray:
    """Advance by `duration_h` in `steps` equal steps of the classical Runge-Kutta method."""
    step_h = duration_h / steps
    half, sixth = step_h / 2.0, step_h / 6.0
    for _ in range(steps):
        k1 = derivative(state)
        k2 = derivative(state + half * k1)
        k3 = derivative(state + half * k2)
        k4 = derivative(state + step_h * k3)
        state = state + sixth * ((k1 + k4) + 2.0 * (k2 + k3))
    return state


def advance(
    solution: Solution, derivative: Derivative, *, duration_h: float, steps: int
) -> Solution:
    """Advance both paths, the coarse one in `steps` steps and the fine one in twice as many."""
    return Solution(
        fine=rk4(derivative, solution.fine, duration_h=duration_h, steps=2 * steps),
        coarse=rk4(derivative, solution.coarse, duration_h=duration_h, steps=steps),
    )


def error(solution: Solution, *, scale: FloatArray) -> float:
    """Estimate the relative error of the fine path; `scale` (states, 1) keeps it finite near 0."""
    difference = np.abs(solution.fine - solution.coarse) / (scale + np.abs(solution.fine))
    if not np.all(np.isfinite(difference)):
        return float("inf")
    return float(np.max(difference)) / _RICHARDSON


def require(error_found: float, *, tolerance: float) -> None:
    """Raise `IntegrationInaccurate` unless the error is within the tolerance."""
    if not error_found <= tolerance:
        raise IntegrationInaccurate(
            f"the integration error {error_found:.1e} is above the tolerance {tolerance:.1e}"
        )
