"""Estimate constants of the CHO model from a plant's own cultures, and say which ones it can.

Bounded, robust least squares on what was measured of whole cultures, run open loop from their start.
The published value and the declared range stand beside the data as a prior, so that a constant of
which the data say nothing stays where it was. Which ones they can tell apart is worked out before
(Brun, Reichert, Kuensch 2001, Water Resources Research 37:1015): the collinearity index of a set is
1 / sqrt of the smallest eigenvalue of its normalised sensitivities; above 10 to 15 a change of one
constant is made good by the others.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from twins.models.cho_fed_batch import culture_runs, parameters
from twins.models.cho_fed_batch.culture_runs import CEILING, OBSERVED, Culture
from twins.models.declarations import Parameter

FloatArray = NDArray[np.float64]

COLLINEAR = 15.0
# A constant that moves the measured values by less than this much of their noise is not seen.
SEEN = 0.5
# A constant is known when the data leave it this share of its value, and half of what the prior did.
KNOWN_SHARE = 0.25
_LEARNT_SHARE = 0.5
# The declared range is read as so many standard deviations.
_RANGE_SDS = 4.0
# How much narrower it is around constants that cultures of the same plant gave.
_SAME_PLANT = 0.25
# Where cultures do what the equations cannot, they shall not pull at the others.
_LOSS, _LOSS_SCALE = "cauchy", 2.0
# 90 % of what is left over lies within so many standard deviations, where it is normal.
_MOST, _MOST_SDS = 0.9, 1.6449
FITTABLE: dict[str, Parameter] = {
    one.name: one for one in (*parameters.PARAMETERS, CEILING) if "safeguard" not in one.source
}
_MOVED = 0.01


class NothingToFit(ValueError):
    """There is no culture, no constant, nothing measured, or a name that the model does not have."""

    code = "cho-fit-empty"


@dataclass(frozen=True)
class Fitted:
    """One constant: published value, estimate, standard deviation, and whether the data know it."""

    name: str
    unit: str
    published: float
    value: float
    sd: float
    is_known: bool
    is_at_bound: bool


@dataclass(frozen=True)
class Fit:
    """Estimates with their covariance (of logarithms), and residuals in units of the noise.

    `left` is what is left over of each measured value, as a multiple of its noise.
    """

    constants: tuple[Fitted, ...]
    covariance: FloatArray
    left: Mapping[str, float]
    rms_before: float
    rms_after: float
    error: float

    @property
    def values(self) -> dict[str, float]:
        """Return the estimates by name."""
        return {one.name: one.value for one in self.constants}


@dataclass(frozen=True)
class Identifiable:
    """Which constants can be estimated together, and why the others cannot."""

    chosen: tuple[str, ...]
    index: float
    unseen: tuple[str, ...]
    collinear: tuple[tuple[str, float, str], ...]


def identifiable(
    cultures: Sequence[Culture], names: Sequence[str], values: Mapping[str, float] | None = None
) -> Identifiable:
    """Choose, from the best seen on, constants that stay below the collinearity limit together."""
    _check(cultures, names)
    jacobian = _jacobian(cultures, names, values or {})
    sizes = np.sqrt(np.mean(jacobian * jacobian, axis=0))
    order = sorted(range(len(names)), key=lambda at: -float(sizes[at]))
    chosen: list[int] = []
    collinear = []
    for at in order:
        if not sizes[at] >= SEEN:
            continue
        index = _collinearity(jacobian[:, [*chosen, at]])
        if index <= COLLINEAR:
            chosen.append(at)
        else:
            nearest = max(chosen, key=lambda one: abs(_cosine(jacobian, one, at)))
            collinear.append((names[at], index, names[nearest]))
    return Identifiable(
        tuple(names[at] for at in chosen),
        _collinearity(jacobian[:, chosen]) if chosen else 1.0,
        tuple(names[at] for at in order if not sizes[at] >= SEEN),
        tuple(collinear),
    )


def fit(
    cultures: Sequence[Culture],
    names: Sequence[str],
    *,
    fixed: Mapping[str, float] | None = None,
    around: Mapping[str, float] | None = None,
    begin: Mapping[str, float] | None = None,
    turns: int = 12,
) -> Fit:
    """Fit the named constants to all cultures together; raise `NothingToFit`.

    `around` are constants of earlier cultures: then the prior lies there and not at the published
    values, and is narrower, since it is the same plant. The search begins there, or at `begin`.
    """
    _check(cultures, names)
    published = {name: FITTABLE[name].value for name in names}
    start = published | dict(around or {}) | dict(begin or {}) | dict(fixed or {})
    logs = np.log([[_bound(name, side) / start[name] for name in names] for side in (0, 1)])

    def moved(by: FloatArray) -> dict[str, float]:
        return start | {
            name: start[name] * float(np.exp(one)) for name, one in zip(names, by, strict=True)
        }

    prior_sd = (logs[1] - logs[0]) / _RANGE_SDS * (_SAME_PLANT if around else 1.0)
    centre = np.log([(around or published)[name] / start[name] for name in names])

    def all_of(by: FloatArray) -> FloatArray:
        return np.concatenate([residuals(cultures, moved(by)), (by - centre) / prior_sd])

    def slopes(by: FloatArray) -> FloatArray:
        return np.concatenate([_jacobian(cultures, names, moved(by)), np.diag(1.0 / prior_sd)])

    # A published value may be a bound itself: a search starts inside.
    inside = np.clip(np.zeros(len(names)), logs[0] + 1e-3, logs[1] - 1e-3)
    solved = least_squares(
        all_of, inside, jac=slopes, bounds=logs, loss=_LOSS, f_scale=_LOSS_SCALE, max_nfev=turns
    )
    values = moved(solved.x)
    middle, error = culture_runs.predict(cultures, values)
    left = _left(cultures, middle)
    jacobian = _jacobian(cultures, names, values) / float(np.mean(list(left.values())))
    information = jacobian.T @ jacobian + np.diag(prior_sd**-2.0)
    covariance = np.asarray(np.linalg.inv(information), dtype=np.float64)
    found = []
    for place, name in enumerate(names):
        sd = float(np.sqrt(covariance[place, place]))
        near = min(abs(solved.x[place] - logs[0, place]), abs(solved.x[place] - logs[1, place]))
        is_at_bound = bool(near < 5e-3)
        is_learnt = sd < min(KNOWN_SHARE, _LEARNT_SHARE * float(prior_sd[place]))
        found.append(
            Fitted(
                name, FITTABLE[name].unit, FITTABLE[name].value, values[name],
                sd * values[name], is_learnt and not is_at_bound, is_at_bound,
            )
        )  # fmt: skip
    before, after = residuals(cultures, start), _residuals(cultures, middle)
    return Fit(tuple(found), covariance, left, _rms(before), _rms(after), error)


def spread(cultures: Sequence[Culture], found: Fit) -> list[dict[str, FloatArray]]:
    """Return the standard deviation of a prediction: of the constants, and of what is left over."""
    names = [one.name for one in found.constants]
    middle, _ = culture_runs.predict(cultures, found.values)
    sides, _ = culture_runs.computed(cultures, _moved(names, found.values), with_error=False)
    spreads = []
    for at, culture in enumerate(cultures):
        mine = {}
        for tag in culture.measured:
            columns = [
                (sides[2 * place][at][tag] - sides[2 * place + 1][at][tag]) / (2.0 * _MOVED)
                for place in range(len(names))
            ]
            slopes = np.stack(columns, axis=-1)
            constants = np.einsum("ti,ij,tj->t", slopes, found.covariance, slopes)
            left = found.left[tag] * culture_runs.noise_sd(tag, middle[at][tag])
            mine[tag] = np.sqrt(constants + left * left)
        spreads.append(mine)
    return spreads


def profile(
    cultures: Sequence[Culture],
    name: str,
    others: Sequence[str],
    *,
    shares: Sequence[float] = (0.8, 0.9, 1.0, 1.1, 1.25),
    at: Mapping[str, float],
) -> tuple[tuple[float, float], ...]:
    """Return (value, sum of squares) with the others fitted anew: flat where nothing is known."""
    found = []
    for share in shares:
        fixed = {name: at[name] * share}
        values = dict(at) | fixed
        if others:
            values |= fit(cultures, others, fixed=fixed, begin=at, turns=8).values
        rest = residuals(cultures, values)
        found.append((fixed[name], float(rest @ rest)))
    return tuple(found)


def residuals(cultures: Sequence[Culture], values: Mapping[str, float]) -> FloatArray:
    """Return measured minus computed in units of noise, where there is a value."""
    computed, _ = culture_runs.computed(cultures, [values], with_error=False)
    return _residuals(cultures, computed[0])


def _check(cultures: Sequence[Culture], names: Sequence[str]) -> None:
    unknown = [name for name in names if name not in FITTABLE]
    tags = {tag for one in cultures for tag in one.measured}
    strange = sorted(tags - set(OBSERVED))
    if unknown or strange or not names or not tags:
        raise NothingToFit(
            "there is nothing to fit: no cultures, no constants, nothing measured, or unknown: "
            f"{', '.join([*unknown, *strange]) or '-'}"
        )


def _bound(name: str, side: int) -> float:
    # A bound of zero has no logarithm.
    return max((FITTABLE[name].low, FITTABLE[name].high)[side], 0.02 * FITTABLE[name].value)


def _moved(names: Sequence[str], values: Mapping[str, float]) -> list[dict[str, float]]:
    found = []
    for name in names:
        base = values.get(name, FITTABLE[name].value)
        for sign in (1.0, -1.0):
            found.append({**values, name: base * float(np.exp(sign * _MOVED))})
    return found


def _jacobian(
    cultures: Sequence[Culture], names: Sequence[str], values: Mapping[str, float]
) -> FloatArray:
    """Return d residual / d ln(constant), a column a constant, by central differences at once."""
    computed, _ = culture_runs.computed(cultures, _moved(names, values), with_error=False)
    # The noise belongs to the middle: otherwise a constant could make errors small by making it large.
    columns = [
        (_residuals(cultures, high) - _residuals(cultures, low)) / (2.0 * _MOVED)
        for high, low in zip(computed[::2], computed[1::2], strict=True)
    ]
    return np.stack(columns, axis=1)


def _residuals(
    cultures: Sequence[Culture], computed: Sequence[Mapping[str, FloatArray]]
) -> FloatArray:
    found = []
    for culture, one in zip(cultures, computed, strict=True):
        for tag, measured in culture.measured.items():
            seen = ~np.isnan(measured)
            noise = culture_runs.noise_sd(tag, measured[seen])
            found.append((measured[seen] - one[tag][seen]) / noise)
    return np.concatenate(found)


def _rms(values: FloatArray) -> float:
    return float(np.sqrt(np.mean(values * values)))


def _left(
    cultures: Sequence[Culture], computed: Sequence[Mapping[str, FloatArray]]
) -> dict[str, float]:
    """Return how large nine in ten of what is left over are; no less than half of the noise."""
    found: dict[str, list[float]] = {}
    for culture, one in zip(cultures, computed, strict=True):
        for tag, measured in culture.measured.items():
            off = np.abs(measured - one[tag]) / culture_runs.noise_sd(tag, measured)
            found.setdefault(tag, []).extend(off[~np.isnan(off)].tolist())
    return {
        tag: max(float(np.quantile(values, _MOST)) / _MOST_SDS, 0.5)
        for tag, values in found.items()
        if values
    }


def _collinearity(columns: FloatArray) -> float:
    scaled = columns / np.linalg.norm(columns, axis=0)
    least = float(np.linalg.eigvalsh(scaled.T @ scaled)[0])
    return 1.0 / float(np.sqrt(max(least, 1e-12)))


def _cosine(jacobian: FloatArray, one: int, other: int) -> float:
    a, b = jacobian[:, one], jacobian[:, other]
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))
