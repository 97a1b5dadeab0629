"""Estimate constants of the penicillin model from a plant's own batches, and say which ones it can.

Least squares on the measured signals of whole batches, run open loop. A constant is called identifiable
when its own column of the sensitivities is not made up by the others: its standard deviation from the
Fisher information stays small beside its value, and no direction without information points at it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from twins.models.penicillin_fed_batch import following, measuring, parameters, stabilised
from twins.models.penicillin_fed_batch import layout as at

FloatArray = NDArray[np.float64]

# A standard deviation beyond this share of the value says that the data do not know the constant.
KNOWN_SHARE = 0.05
# Beyond this, one combination of the constants moves the signals no more than chance.
COLLINEAR = 50.0
# The model leaves out disturbances that wander for days: a signal is not better than this share.
_MODEL_SHARE = 0.03
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


@dataclass(frozen=True)
class Fit:
    """The constants, the condition number of their information, and the worst combination."""

    constants: tuple[Fitted, ...]
    condition: float
    weakest: tuple[tuple[str, float], ...]
    rms_before: float
    rms_after: float


def residuals(batch: Mapping[str, FloatArray], constants: FloatArray) -> FloatArray:
    """Return measured minus computed of a batch in units of noise, where there is a value."""
    inputs = following.inputs_of(batch)
    measured = following.measured_of(batch, inputs.shape[0])
    computed = _outputs(batch, inputs, constants)
    chosen = np.zeros(measured.shape, dtype=np.bool_)
    online = len(measuring.ONLINE)
    chosen[_EVERY_SAMPLES::_EVERY_SAMPLES, :online] = True
    chosen[:, online:] = True
    # Laboratory values stand where they were reported and belong to where they were sampled.
    shifted = np.full_like(measured, np.nan)
    shifted[:, :online] = measured[:, :online]
    shifted[:-_LATE_SAMPLES, online:] = measured[_LATE_SAMPLES:, online:]
    noise = measuring.NOISE[:, 0] + (measuring.NOISE[:, 1] + _MODEL_SHARE) * np.abs(computed)
    difference = (shifted - computed) / noise
    found: FloatArray = difference[chosen & ~np.isnan(difference)]
    return found


def sensitivities(
    batches: Sequence[Mapping[str, FloatArray]], names: Sequence[str], constants: FloatArray
) -> FloatArray:
    """Return d residual / d ln(constant), a column a constant, by central differences."""
    columns = []
    for name in names:
        sides = []
        for sign in (1.0, -1.0):
            moved = constants.copy()
            moved[parameters.INDEX[name]] *= 1.0 + 0.01 * sign
            sides.append(np.concatenate([residuals(batch, moved) for batch in batches]))
        columns.append((sides[0] - sides[1]) / 0.02)
    return np.stack(columns, axis=1)


def fit(
    batches: Sequence[Mapping[str, FloatArray]],
    names: Sequence[str],
    *,
    start: FloatArray | None = None,
    turns: int = 15,
) -> Fit:
    """Fit the named constants to all batches together; raise `NothingToFit`."""
    unknown = [name for name in names if name not in parameters.INDEX]
    if unknown or not names or not batches:
        raise NothingToFit(
            f"no batches, no constants, or unknown ones: {', '.join(unknown) or '-'}"
        )
    nominal = parameters.nominal() if start is None else start
    places = [parameters.INDEX[name] for name in names]

    def all_of(logs: FloatArray) -> FloatArray:
        p = nominal.copy()
        p[places] *= np.exp(logs)
        return np.concatenate([residuals(batch, p) for batch in batches])

    bounds = np.log([[_ratio(name, nominal, side) for name in names] for side in (0, 1)])
    solved = least_squares(
        all_of, np.zeros(len(names)), bounds=bounds, diff_step=0.01, loss="soft_l1", max_nfev=turns
    )
    p = nominal.copy()
    p[places] *= np.exp(solved.x)
    jacobian = sensitivities(batches, names, p)
    values, vectors = np.linalg.eigh(jacobian.T @ jacobian)
    values = np.maximum(values, 1e-12 * values[-1])
    after = all_of(solved.x)
    scale = float(np.mean(after * after))
    covariance = scale * (vectors / values) @ vectors.T
    weakest = sorted(zip(names, vectors[:, 0].tolist(), strict=True), key=lambda one: -abs(one[1]))
    condition = float(np.sqrt(values[-1] / values[0]))
    found = []
    for place, name in enumerate(names):
        sd = float(np.sqrt(covariance[place, place]))
        blurred = condition > COLLINEAR and abs(dict(weakest)[name]) > 0.3
        value = float(p[parameters.INDEX[name]])
        found.append(
            Fitted(
                name, float(nominal[parameters.INDEX[name]]), value, sd * abs(value),
                sd < KNOWN_SHARE and not blurred,
            )
        )  # fmt: skip
    before = all_of(np.zeros(len(names)))
    return Fit(
        tuple(found), condition, tuple(weakest),
        float(np.sqrt(np.mean(before * before))), float(np.sqrt(scale)),
    )  # fmt: skip


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


def _ratio(name: str, nominal: FloatArray, side: int) -> float:
    declared = parameters.PARAMETERS[parameters.INDEX[name]]
    return (declared.low, declared.high)[side] / float(nominal[parameters.INDEX[name]])


def _outputs(batch: Mapping[str, FloatArray], inputs: FloatArray, p: FloatArray) -> FloatArray:
    x = measuring.INITIAL[:, 0].copy()
    # What is measured at inoculation is where the batch starts.
    for tag, row in (("Wt", at.W), ("pH", at.PH), ("T", at.T)):
        first = np.asarray(batch.get(tag, [np.nan]), dtype=np.float64)[0]
        if np.isfinite(first):
            x[row] = first
    states = np.empty((inputs.shape[0], at.STATES))
    stabilised.trajectory(x, p, inputs, following.SAMPLE_H, following.TABLE, states)
    computed: FloatArray = states @ measuring.SEES.T
    return computed
