"""Carry an estimated penicillin batch to the horizon, spread as wide as batches turned out to be."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from twins.models import ensemble, integrate
from twins.models.penicillin_fed_batch import carrying, following, measuring, parameters
from twins.models.penicillin_fed_batch import layout as at
from twins.models.penicillin_fed_batch.explaining import MOST_STEPS
from twins.models.penicillin_fed_batch.following import MEMBERS, SAMPLE_H, SAMPLES_AN_HOUR, TABLE
from twins.models.penicillin_fed_batch.replaying import TOLERANCE, FloatArray

_STREAM_FUTURE, _STREAM_WIDTH = 3, 6
_WALK = np.array(
    [
        (
            one.nominal,
            one.future_walk_per_sqrt_h,
            # A constant whose spread is renewed while data come in wanders from where it is.
            1.0 if one.name in measuring.RENEWED else following.kept(one),
        )
        for one in measuring.UNCERTAIN
    ]
)


def _state(row: int) -> Callable[[FloatArray], FloatArray]:
    def value(states: FloatArray) -> FloatArray:
        found: FloatArray = states[..., row]
        return found

    return value


def _biomass(states: FloatArray) -> FloatArray:
    found: FloatArray = (
        states[..., at.A0] + states[..., at.A1] + states[..., at.A3] + states[..., at.A4]
    )
    return found


# What is foretold of the states (members, times, states), under the signal that measures it; no signal
# measures the last two.
VALUES: Mapping[str, Callable[[FloatArray], FloatArray]] = {
    "P": _state(at.P),
    "X": _biomass,
    "Viscosity": _state(at.VIS),
    "PAA": _state(at.PAA),
    "NH3": _state(at.NH3),
    "DO2": _state(at.DO),
    "Wt": _state(at.W),
    "CO2outgas": _state(at.CO2_GAS),
    "sugar_g_l": _state(at.S),
    "volume_l": _state(at.V),
}
# By how much the spread of the members is stretched, and what is added as a share of the value: what the
# members leave out. Chosen on 60 normal batches, tried on 60 others: docs/penicillin.md.
WIDTH: Mapping[str, tuple[float, float]] = {
    "P": (1.5, 0.018),
    "X": (1.0, 0.012),
    "Viscosity": (0.9, 0.0),
    "PAA": (1.6, 0.03),
    "NH3": (1.2, 0.01),
    "DO2": (1.0, 0.0),
    "Wt": (0.95, 0.0),
    "CO2outgas": (1.0, 0.032),
    "volume_l": (0.75, 0.007),
}
# Sugar is thousandths of a g/L where it is scarce and grams where it is in surplus: a member is wrong by
# a factor, whatever the median is.
FACTOR: Mapping[str, float] = {"sugar_g_l": 0.18}


@dataclass(frozen=True)
class Course:
    """What a future starts from and what it is given; an input has a share that each member varies.

    `rows` (members, rows), `plan` (samples, inputs), `shares` (members, inputs), the others (members,
    samples). What is foretold is spread by `widening` times of what is usual.
    """

    rows: FloatArray
    plan: FloatArray
    shares: FloatArray
    temperature_k: FloatArray
    ph: FloatArray
    start_h: float
    widening: float = 1.0


@dataclass(frozen=True)
class Projection:
    """Paths of the process values, each (members, hours); hour 0 is the start."""

    paths: Mapping[str, FloatArray]
    error: float


def project(course: Course, *, seed: int) -> Projection:
    """Carry a course to its end; raise `IntegrationInaccurate`."""
    states, error = carried(course, drawn=_drawn(seed, course.plan.shape[0]))
    integrate.require(error, tolerance=TOLERANCE)
    first = course.rows[:, np.newaxis, : at.STATES]
    hourly = np.concatenate([first, states[:, SAMPLES_AN_HOUR - 1 :: SAMPLES_AN_HOUR]], axis=1)
    return Projection(
        {
            tag: widened(tag, value(hourly), order, seed, course.widening)
            for order, (tag, value) in enumerate(VALUES.items())
        },
        error,
    )


def carried(course: Course, *, drawn: FloatArray) -> tuple[FloatArray, float]:
    """Return the states (members, samples, states) and the worst error of a member.

    A member whose error is above the tolerance goes again in finer steps, three times at most.
    """
    count = course.rows.shape[0]
    states = np.empty((count, course.plan.shape[0], at.STATES))
    errors = np.full(count, np.inf)
    steps = 1
    again = np.arange(count)
    while len(again) and steps <= MOST_STEPS:
        states[again], errors[again] = _carry(_some(course, again), drawn[:, again], steps)
        again = np.flatnonzero(~(errors <= TOLERANCE))
        steps *= 2
    return states, float(errors.max())


def _carry(course: Course, drawn: FloatArray, steps: int) -> tuple[FloatArray, FloatArray]:
    out = np.empty((course.rows.shape[0], course.plan.shape[0], at.STATES))
    errors = np.zeros(course.rows.shape[0])
    carrying.carry(
        course.rows, parameters.nominal(), measuring.PLACES, course.plan, course.shares,
        course.temperature_k, course.ph, np.ascontiguousarray(drawn), measuring.PROCESS_NOISE, _WALK,
        following.BOUNDS, course.start_h, SAMPLE_H, steps, TABLE, out, errors,
    )  # fmt: skip
    return out, errors


def _some(course: Course, members: np.ndarray) -> Course:
    return replace(
        course,
        rows=course.rows[members],
        shares=course.shares[members],
        temperature_k=course.temperature_k[members],
        ph=course.ph[members],
    )


def _drawn(seed: int, count: int) -> FloatArray:
    drawn = np.empty((count, MEMBERS, measuring.ROWS))
    for sample in range(count):
        drawn[sample] = ensemble.standard_normals(
            seed=seed, stream=(_STREAM_FUTURE, sample), shape=(measuring.ROWS, MEMBERS)
        ).T
    return drawn


def widened(
    tag: str, paths: FloatArray, order: int, seed: int, widening: float = 1.0
) -> FloatArray:
    """Widen the paths around their median, or each by a factor; a member keeps its side."""
    drawn = ensemble.even_normals(seed=seed, stream=(_STREAM_WIDTH, order), shape=(1, MEMBERS))[0]
    if tag in FACTOR:
        factors = [math.exp(widening * FACTOR[tag] * one) for one in drawn.tolist()]
        by_factor: FloatArray = paths * np.array(factors)[:, np.newaxis]
        return by_factor
    factor, share = WIDTH[tag]
    middle = ensemble.quantile(paths.T, 0.5)
    off = factor * (paths - middle) + share * middle * drawn[:, np.newaxis]
    found: FloatArray = np.maximum(middle + widening * off, 0.0)
    return found
