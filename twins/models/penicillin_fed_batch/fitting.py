"""Estimate constants of the penicillin model from a plant's own batches, and say which ones it can.

Least squares on the measured signals of whole batches, run open loop but for temperature and pH: loops
hold them that the equations do not have, so they are imposed as measured, and are no evidence.
A constant is called identifiable when its own column of the sensitivities is not made up by the others:
its standard deviation from the Fisher information stays small beside its value, and no direction without
information points at it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from twins.models import integrate
from twins.models.penicillin_fed_batch import (
    following,
    forking,
    measuring,
    parameters,
    signatures,
)
from twins.models.penicillin_fed_batch import layout as at
from twins.models.penicillin_fed_batch.integration import slow_error
from twins.models.penicillin_fed_batch.replaying import TOLERANCE

FloatArray = NDArray[np.float64]

# A standard deviation beyond this share of the value says that the data do not know the constant.
KNOWN_SHARE = 0.05
# Beyond this, one combination of the constants moves the signals no more than chance.
COLLINEAR = 50.0
# The model leaves out disturbances that wander for days: a signal is not better than this share.
_MODEL_SHARE = 0.03
# What a run that ends in no number is off by, in units of noise.
_DIVERGED = 1e3
# Constants are fitted as logarithms: one whose range reaches zero is followed down to this share.
_LEAST_SHARE = 0.05
# Where the runs with the constants found are too inaccurate, they are fitted again in half the step.
_MOST_STEPS = 8
_LOOPS: Mapping[str, int] = {"T": at.T, "pH": at.PH}
_EVERY_SAMPLES = 10
_LATE_SAMPLES = 20


class NothingToFit(ValueError):
    """There is no constant or no batch, or a constant that the model does not have."""

    code = "penicillin-fit-empty"


@dataclass(frozen=True)
class Fitted:
    """One constant: value, standard deviation, and whether the data know it."""

    name: str
    start: float
    value: float
    sd: float
    is_identifiable: bool
    is_at_bound: bool


@dataclass(frozen=True)
class Fit:
    """The constants, the condition number of their information, and the worst combination.

    `error` is the worst step-halving error of any batch with the constants found.
    """

    constants: tuple[Fitted, ...]
    condition: float
    weakest: tuple[tuple[str, float], ...]
    rms_before: float
    rms_after: float
    error: float


def residuals(
    batch: Mapping[str, FloatArray], constants: FloatArray, *, steps: int = 1
) -> FloatArray:
    """Return measured minus computed of a batch in units of noise, where there is a value."""
    inputs = following.inputs_of(batch)
    measured = following.measured_of(batch, inputs.shape[0])
    computed: FloatArray = _run(batch, inputs, constants, steps) @ measuring.SEES.T
    chosen = np.zeros(measured.shape, dtype=np.bool_)
    online = len(measuring.ONLINE)
    chosen[_EVERY_SAMPLES::_EVERY_SAMPLES, :online] = True
    chosen[:, online:] = True
    chosen[:, [measuring.TAGS.index(tag) for tag in _LOOPS]] = False
    # Laboratory values stand where they were reported and belong to where they were sampled.
    shifted = np.full_like(measured, np.nan)
    shifted[:, :online] = measured[:, :online]
    shifted[:-_LATE_SAMPLES, online:] = measured[_LATE_SAMPLES:, online:]
    noise = measuring.NOISE[:, 0] + (measuring.NOISE[:, 1] + _MODEL_SHARE) * np.abs(computed)
    difference = (shifted - computed) / noise
    found: FloatArray = difference[chosen & ~np.isnan(shifted)]
    return np.where(np.isfinite(found), found, _DIVERGED)


def sensitivities(
    batches: Sequence[Mapping[str, FloatArray]],
    names: Sequence[str],
    constants: FloatArray,
    *,
    steps: int = 1,
) -> FloatArray:
    """Return d residual / d ln(constant), a column a constant, by central differences."""
    columns = []
    for name in names:
        sides = []
        for sign in (1.0, -1.0):
            moved = constants.copy()
            moved[parameters.INDEX[name]] *= 1.0 + 0.01 * sign
            sides.append(
                np.concatenate([residuals(batch, moved, steps=steps) for batch in batches])
            )
        columns.append((sides[0] - sides[1]) / 0.02)
    return np.stack(columns, axis=1)


def fit(
    batches: Sequence[Mapping[str, FloatArray]],
    names: Sequence[str],
    *,
    start: FloatArray | None = None,
    turns: int = 15,
) -> Fit:
    """Fit the named constants to all; raise `NothingToFit` or `IntegrationInaccurate`."""
    unknown = [name for name in names if name not in parameters.INDEX]
    if unknown or not names or not batches:
        raise NothingToFit(
            f"no batches, no constants, or unknown ones: {', '.join(unknown) or '-'}"
        )
    nominal = parameters.nominal() if start is None else start
    steps, p = 1, nominal
    while True:
        p, at_bound = _solved(batches, names, nominal, p, steps, turns)
        error = max(halving_error(batch, p, steps=steps) for batch in batches)
        if error <= TOLERANCE or steps >= _MOST_STEPS:
            break
        steps *= 2
    integrate.require(error, tolerance=TOLERANCE)
    jacobian = sensitivities(batches, names, p, steps=steps)
    unseen = [name for name, moves in zip(names, jacobian.T, strict=True) if not moves.any()]
    if unseen:
        raise NothingToFit(f"nothing that is measured depends on {', '.join(unseen)}")
    values, vectors = np.linalg.eigh(jacobian.T @ jacobian)
    values = np.maximum(values, 1e-12 * values[-1])
    before, after = (_squares(batches, one, steps) for one in (nominal, p))
    spread = np.sqrt(np.diagonal(after * (vectors / values) @ vectors.T)).tolist()
    weakest = sorted(zip(names, vectors[:, 0].tolist(), strict=True), key=lambda one: -abs(one[1]))
    condition = float(np.sqrt(values[-1] / values[0]))
    found = []
    for name, sd, bound in zip(names, spread, at_bound, strict=True):
        blurred = condition > COLLINEAR and abs(dict(weakest)[name]) > 0.3
        value, first = (float(one[parameters.INDEX[name]]) for one in (p, nominal))
        known = sd < KNOWN_SHARE and not blurred
        found.append(Fitted(name, first, value, sd * abs(value), known, bound))
    return Fit(
        tuple(found),
        condition,
        tuple(weakest),
        float(np.sqrt(before)),
        float(np.sqrt(after)),
        error,
    )


def _solved(
    batches: Sequence[Mapping[str, FloatArray]], names: Sequence[str], nominal: FloatArray,
    first: FloatArray, steps: int, turns: int,
) -> tuple[FloatArray, list[bool]]:  # fmt: skip
    """Return the constants that fit best, from first ones on, and which of them are at a bound."""
    places = [parameters.INDEX[name] for name in names]
    low, high = np.log([_ratios(name, nominal) for name in names]).T

    def moved(logs: FloatArray) -> FloatArray:
        p = nominal.copy()
        p[places] *= np.exp(logs)
        return p

    solved = least_squares(
        lambda logs: np.concatenate([residuals(one, moved(logs), steps=steps) for one in batches]),
        np.clip(np.log(first[places] / nominal[places]), low, high),
        bounds=(low, high),
        diff_step=0.01, loss="soft_l1", max_nfev=turns,
    )  # fmt: skip
    return moved(solved.x), [bool(one) for one in solved.active_mask]


def _squares(
    batches: Sequence[Mapping[str, FloatArray]], constants: FloatArray, steps: int
) -> float:
    every = np.concatenate([residuals(one, constants, steps=steps) for one in batches])
    return float(np.mean(every * every))


def profile(
    batches: Sequence[Mapping[str, FloatArray]],
    name: str,
    others: Sequence[str],
    *,
    shares: Sequence[float] = (0.9, 0.95, 1.0, 1.05, 1.1),
    start: FloatArray | None = None,
) -> tuple[tuple[float, float], ...]:
    """Return (value, sum of squares) with the others fitted anew: flat where nothing is known."""
    nominal = parameters.nominal() if start is None else start
    found = []
    for share in shares:
        p = nominal.copy()
        p[parameters.INDEX[name]] *= share
        if others:
            for one in fit(batches, others, start=p, turns=4).constants:
                p[parameters.INDEX[one.name]] = one.value
        rest = np.concatenate([residuals(batch, p) for batch in batches])
        found.append((float(p[parameters.INDEX[name]]), float(rest @ rest)))
    return tuple(found)


def halving_error(
    batch: Mapping[str, FloatArray], constants: FloatArray, *, steps: int = 1
) -> float:
    """Return how far the run of a batch is from one with half the step, in what carries a batch."""
    inputs = following.inputs_of(batch)
    coarse, fine = (_run(batch, inputs, constants, one) for one in (steps, 2 * steps))
    return float(max(slow_error(a, b) for a, b in zip(fine, coarse, strict=True)))


def _ratios(name: str, nominal: FloatArray) -> tuple[float, float]:
    """Return the declared range as shares of the value; a constant keeps its sign."""
    declared = parameters.PARAMETERS[parameters.INDEX[name]]
    if declared.low == declared.high:
        raise NothingToFit(f"{name} is the same in every plant")
    value = float(nominal[parameters.INDEX[name]])
    low, high = sorted((declared.low / value, declared.high / value))
    return max(low, _LEAST_SHARE), high


def _run(
    batch: Mapping[str, FloatArray], inputs: FloatArray, p: FloatArray, steps: int
) -> FloatArray:
    """Return the states at the end of each sample, of so many steps each."""
    x = measuring.INITIAL[:, 0].copy()
    # What is measured at inoculation is where the batch starts.
    first = float(np.asarray(batch.get("Wt", [np.nan]), dtype=np.float64)[0])
    x[at.W] = first if np.isfinite(first) else x[at.W]
    temperature_k, ph = (
        _held(batch, tag, float(x[row]), len(inputs)) for tag, row in _LOOPS.items()
    )
    states = np.empty((len(inputs), at.STATES))
    forking.trajectory(
        x, p, inputs, temperature_k, ph, following.SAMPLE_H, steps, following.TABLE, states
    )
    return states


def _held(batch: Mapping[str, FloatArray], tag: str, usual: float, count: int) -> FloatArray:
    """Return what was measured of a loop's value at each sample, the last value where nothing was."""
    values = signatures.held(np.asarray(batch.get(tag, np.full(count, np.nan)), dtype=np.float64))
    return np.where(np.isfinite(values), values, usual)
