"""Run an FMU open loop three times, so that its answer carries an error and is known to repeat.

Once with the step asked for and twice with half of it. The difference is the step-halving error of
the run; it is not divided by anything, since the order of a foreign solver is not known. The halved
run is the result, and its repetition must give the same bytes.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from compliance.refusals import Refused
from twins.models.co_simulation import processes
from twins.models.co_simulation.declared import Description, Variable
from twins.models.co_simulation.processes import FloatArray, Limits, Steps

TOLERANCE = 1e-3
# Rounding of decimal times in files.
_ON_GRID = 1e-6


class StepUnusable(Refused):
    """The step does not fit the times of the inputs or the FMU."""

    code = "co-simulation-step"
    status = 422


class RunInaccurate(Refused):
    """The step-halving error is above the tolerance: this is a failed run, not a result."""

    code = "co-simulation-inaccurate"
    status = 422


class NotDeterministic(Refused):
    """The FMU gives other bytes for the same inputs."""

    code = "fmu-not-deterministic"
    status = 422


@dataclass(frozen=True)
class Inputs:
    """Times of rows, inputs of shape (rows, inputs) that hold until the next row, and parameters."""

    times: FloatArray
    values: FloatArray
    parameters: tuple[tuple[Variable, float], ...] = ()


@dataclass(frozen=True)
class Run:
    """Outputs of shape (rows, outputs) with the step-halving error of each row.

    `errors` are differences as a share of the largest value of each output, the worst of a row; None,
    with the reason in `note`, for an FMU whose step cannot be halved.
    """

    times: FloatArray
    outputs: FloatArray
    step: float
    errors: FloatArray | None
    note: str
    confinement: tuple[str, ...]

    @property
    def error(self) -> float | None:
        """Return the worst step-halving error."""
        return None if self.errors is None else float(self.errors.max())


def simulate(
    data: bytes,
    description: Description,
    inputs: Inputs,
    *,
    step: float | None = None,
    tolerance: float = TOLERANCE,
    limits: Limits | None = None,
) -> Run:
    """Run an FMU; raise a refusal for a bad step, an inaccurate run, or whatever the FMU does wrong."""
    whole = _step(description, inputs.times, step)

    def ran(length: float) -> processes.Answer:
        steps = Steps(float(inputs.times[0]), length, _counts(inputs.times, length), inputs.values)
        return processes.run(data, description, steps, parameters=inputs.parameters, limits=limits)

    coarse = ran(whole)
    length, note = whole / 2.0, _why_not_halved(description, whole)
    fine = coarse
    if not note:
        try:
            fine = ran(length)
        except processes.FmuRunFailed as refused:
            if description.can_vary_step:
                raise
            note = f"it refuses half the step: {refused}"
    length = whole if note else length
    again = ran(length)
    if again.outputs.tobytes() != fine.outputs.tobytes():
        raise NotDeterministic(
            "the FMU gave two different answers to the same inputs: what it says cannot be replayed"
        )
    errors = None if note else difference(coarse.outputs, fine.outputs)
    if errors is not None and not float(errors.max()) <= tolerance:
        at = float(inputs.times[int(np.argmax(errors))])
        raise RunInaccurate(
            f"the step-halving error is {float(errors.max()):.1e} at time {at:g}, above the "
            f"tolerance {tolerance:.1e}; choose a step shorter than {whole:g}"
        )
    return Run(inputs.times, fine.outputs, length, errors, note, fine.confinement)


def difference(coarse: FloatArray, fine: FloatArray) -> FloatArray:
    """Return for each row the largest difference, as a share of the largest value of its output."""
    scale = np.max(np.abs(fine), axis=0)
    scale[scale == 0.0] = 1.0
    found: FloatArray = np.max(np.abs(coarse - fine) / scale, axis=1)
    return found


def _step(description: Description, times: FloatArray, asked: float | None) -> float:
    shortest = float(np.min(np.diff(times))) if len(times) > 1 else 0.0
    if not shortest > 0.0:
        raise StepUnusable("the inputs need two rows or more, in order of time")
    fixed = description.fixed_internal_step
    found = asked or description.default_step or fixed or shortest
    if not 0.0 < found <= shortest * (1.0 + _ON_GRID):
        raise StepUnusable(
            f"the step {found:g} {description.time_unit} does not fit rows that are {shortest:g} "
            f"{description.time_unit} apart; name one with --step"
        )
    if fixed and not _is_whole(found / fixed):
        raise StepUnusable(f"the FMU steps by {fixed:g} {description.time_unit} inside: {found:g} "
                           f"is no multiple of it")  # fmt: skip
    return found


def _why_not_halved(description: Description, step: float) -> str:
    fixed = description.fixed_internal_step
    if fixed and not _is_whole(step / 2.0 / fixed):
        return f"its internal step is fixed at {fixed:g} {description.time_unit}"
    return ""


def _counts(times: FloatArray, step: float) -> tuple[int, ...]:
    """Return how many steps end at each row; raise `StepUnusable` when it is no whole number."""
    places: Sequence[float] = ((times - times[0]) / step).tolist()
    if not all(_is_whole(one) for one in places):
        raise StepUnusable(f"the times of the inputs are no multiples of the step {step:g}")
    whole = [round(one) for one in places]
    return (0, *(later - earlier for earlier, later in pairwise(whole)))


def _is_whole(value: float) -> bool:
    return math.isfinite(value) and abs(value - round(value)) <= _ON_GRID * max(1.0, abs(value))
