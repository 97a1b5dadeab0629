"""Check the solver of a mechanistic twin against a second one, state by state, on demand."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twins.models.declarations import State

FloatArray = NDArray[np.float64]

TOLERANCE = 1e-4


class SolversDisagree(ArithmeticError):
    """Two solvers of the same equations give different answers: neither may be believed."""

    code = "twin-solvers-disagree"


@dataclass(frozen=True)
class Difference:
    """How far one state was apart: in its unit, when, and against its scale and value."""

    state: str
    unit: str
    largest: float
    at_h: float
    relative: float


@dataclass(frozen=True)
class CrossCheck:
    """Two solvers on the same batch; `error` is the step-halving error of the first."""

    model: str
    first: str
    second: str
    hours: float
    differences: tuple[Difference, ...]
    error: float

    @property
    def worst(self) -> float:
        """Return the largest relative difference."""
        return max(one.relative for one in self.differences)


def require(found: CrossCheck, *, tolerance: float = TOLERANCE) -> None:
    """Raise `SolversDisagree` unless every state agrees within the tolerance."""
    if not found.worst <= tolerance:
        worst = max(found.differences, key=lambda one: one.relative)
        raise SolversDisagree(
            f"{found.first} and {found.second} differ by {worst.relative:.1e} in {worst.state} at "
            f"{worst.at_h:g} h, above the tolerance {tolerance:.1e}"
        )


def compare(
    one: FloatArray,
    other: FloatArray,
    *,
    model: str,
    solvers: tuple[str, str],
    states: Sequence[State],
    ends_h: Sequence[float],
    scale: FloatArray,
    error: float,
) -> CrossCheck:
    """Return the differences of two solutions of shape (times, states)."""
    apart = np.abs(one - other)
    relative = np.where(np.isfinite(apart), apart / (scale + np.abs(other)), np.inf)
    found = []
    for place, state in enumerate(states):
        at = int(np.argmax(relative[:, place]))
        found.append(
            Difference(
                state.name, state.unit, float(apart[at, place]), float(ends_h[at]),
                float(relative[at, place]),
            )
        )  # fmt: skip
    return CrossCheck(model, *solvers, float(ends_h[-1]), tuple(found), error)
