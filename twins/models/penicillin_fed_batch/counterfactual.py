"""Fork a batch at a suspected onset: with what was recorded, and as if the deviation had not been.

Both forks start from the same estimated members and differ only in what an explanation accuses, so their
difference is the impact of that explanation, whatever else the batch did. Temperature and pH are held by
loops that the equations do not have: they are imposed, as measured or as before the onset.

What the estimate corrected since the onset may have come with or without the deviation, and nothing that
is measured tells which: the fork without it is run both ways, and its intervals reach over both.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from twins.models import ensemble, integrate
from twins.models.penicillin_fed_batch import (
    following,
    forking,
    measuring,
    parameters,
    signatures,
    usual,
)
from twins.models.penicillin_fed_batch import layout as at
from twins.models.penicillin_fed_batch.following import SAMPLE_H
from twins.models.penicillin_fed_batch.replaying import TOLERANCE

FloatArray = NDArray[np.float64]
Class = Literal["major", "minor", "undecided"]

# A loss of this share of the product is a major one; the interval is of nine in ten members.
MAJOR_FROM = 0.05
LOW, MIDDLE, HIGH = 0.05, 0.5, 0.95
# The forks begin so long before the suspected onset: a walked-back onset is late rather than early.
_EARLIER_SAMPLES = 5
_LEVEL_SAMPLES, _NOW_SAMPLES = 30, 5
# A set-point departs where it is further from the recipe, as it was before, than usual within 12 h.
_DEPARTED, _LEVEL_H = 2.0, 12.0
_MOST_STEPS = 8
# The course of the product is told at so many moments at most.
_TOLD = 60
_SET_POINTS: Mapping[str, tuple[str, int]] = {
    "sugar": ("Fs", at.FS), "aeration": ("Fg", at.FG), "pressure": ("pressure", at.PRESSURE),
}  # fmt: skip
_CONSTANTS: Mapping[str, str] = {"transfer": "alpha_kla", "strength": "c_s"}
_REASONS: Mapping[str, str] = {
    "normal": "there is nothing to take away",
    "none": "what happened is not named, so it cannot be taken away",
    "ph-probe": "how far the probe is off cannot be seen with these sensors",
    "oxygen-probe": "no loop holds this probe, so the process does not see its error",
}


class NoCounterfactual(ValueError):
    """The explanation names nothing that could be taken away."""

    code = "counterfactual-none"


@dataclass(frozen=True)
class Made:
    """Product (kg) in the vessel and taken out by an hour, with and without the deviation."""

    at_h: float
    with_kg: tuple[float, float, float]
    without_kg: tuple[float, float, float]


@dataclass(frozen=True)
class Impact:
    """Product (kg) in the vessel and taken out at `horizon_h`: with and without the deviation, and lost.

    Low and high are 5 and 95 % of the members, the farther ones of both ways without the deviation; the
    median is of the way with the estimate's corrections. The share lost is of the product without.
    After the last sample the deviation ends, or goes on as it is (`goes_on`). `path` is the way there
    from the fork on; its last moment is the horizon.
    """

    accused: str
    goes_on: bool
    horizon_h: float
    with_kg: tuple[float, float, float]
    without_kg: tuple[float, float, float]
    lost_kg: tuple[float, float, float]
    lost_share: tuple[float, float, float]
    proposed: Class
    integration_error: float
    path: tuple[Made, ...]


@dataclass(frozen=True)
class Fork:
    """Inputs (samples, inputs), temperature and pH (samples,), constants (samples, members, some)."""

    inputs: FloatArray
    temperature_k: FloatArray
    ph: FloatArray
    constants: FloatArray


@dataclass(frozen=True)
class Fate:
    """What a batch is forked from; `end` is the sample of the horizon, `ensembles` reach to `now`."""

    batch: Mapping[str, FloatArray]
    recipe: Mapping[str, FloatArray]
    ensembles: FloatArray
    traces: FloatArray
    onset: int
    now: int
    end: int


def impact(accused: str, fate: Fate, *, goes_on: bool = False) -> Impact:
    """Return what an explanation costs; raise `NoCounterfactual` or `IntegrationInaccurate`."""
    start = max(fate.onset - _EARLIER_SAMPLES, 1)
    recorded, restored = forks(accused, fate, goes_on=goes_on)
    made, error = _products(fate, recorded, restored, start)
    integrate.require(error, tolerance=TOLERANCE)
    products = _taken_before(fate, start) + made
    recorded_kg, without = products[0, -1], products[1:, -1]
    lost = without - recorded_kg
    share = lost / np.maximum(without, 1e-9)
    return Impact(
        accused=accused,
        goes_on=goes_on,
        horizon_h=(fate.end + 1) * SAMPLE_H,
        with_kg=_spread(recorded_kg),
        without_kg=_widest(without),
        lost_kg=_widest(lost),
        lost_share=_widest(share),
        proposed=proposed_of(_widest(share)),
        integration_error=error,
        path=_path(products, start),
    )


def forks(accused: str, fate: Fate, *, goes_on: bool = False) -> tuple[Fork, Fork]:
    """Return the fork as recorded and the one without what is accused; raise `NoCounterfactual`."""
    start = max(fate.onset - _EARLIER_SAMPLES, 1)
    before = slice(max(start - _LEVEL_SAMPLES, 0), start)
    since, later = slice(start, fate.now + 1), slice(fate.now + 1, fate.end + 1)
    ahead = fate.end - fate.now
    ends = {tag: fate.recipe[tag][later] for tag in measuring.INPUT_TAGS}
    inputs = np.concatenate([following.inputs_of(fate.batch)[since], following.inputs_of(ends)])
    held = {tag: _known(fate.batch[tag][: fate.now + 1]) for tag in ("T", "pH")}
    level = {tag: float(np.median(column[before])) for tag, column in held.items()}
    course = {tag: _continued(column[since], level[tag], ahead) for tag, column in held.items()}
    calm = {tag: np.full(len(column), level[tag]) for tag, column in course.items()}
    constants = fate.ensembles[since, :, at.STATES :]
    constants = np.concatenate([constants, np.repeat(constants[-1:], ahead, axis=0)])
    recorded = Fork(inputs, course["T"], course["pH"], constants)
    if sign := _set_point_of(accused):
        columns = _set_points(fate, sign, inputs, before, start, goes_on)
        first, second = (_with_inputs(recorded, _SET_POINTS[sign][1], one) for one in columns)
        return first, second
    if accused in _CONSTANTS:
        return _with_constants(recorded, _CONSTANTS[accused], fate, start, goes_on)
    if accused.startswith("base-"):
        ph = _continued(held["pH"][since], _last(held["pH"]) if goes_on else level["pH"], ahead)
        return replace(recorded, ph=ph), replace(recorded, ph=calm["pH"])
    if accused.startswith("coolant-"):
        t = _continued(held["T"][since], _last(held["T"]) if goes_on else level["T"], ahead)
        return replace(recorded, temperature_k=t), replace(recorded, temperature_k=calm["T"])
    if accused == "temperature-probe":
        drift = _drift(fate, start)
        off = _continued(drift, _last(drift) if goes_on else 0.0, ahead)
        return replace(recorded, temperature_k=course["T"] - off), recorded
    raise NoCounterfactual(f"no impact is stated: {_REASONS[accused]}")


def _continued(known: FloatArray, value: float, ahead: int) -> FloatArray:
    return np.concatenate([known, np.full(ahead, value)])


def _last(values: FloatArray) -> float:
    """Return what a noisy value is now."""
    return float(np.median(values[-_NOW_SAMPLES:]))


def _set_point_of(accused: str) -> str | None:
    sign = accused.rsplit("-", 1)[0]
    return sign if sign in _SET_POINTS and accused.endswith(("-less", "-more")) else None


def _set_points(
    fate: Fate, sign: str, inputs: FloatArray, before: slice, start: int, goes_on: bool
) -> tuple[FloatArray, FloatArray]:
    """Return a set-point as it was and goes on, and without what departs from the recipe.

    Where it departs, the recipe's is taken, as much above it as the batch was before the onset; where it
    does not, what was recorded.
    """
    tag, place = _SET_POINTS[sign]
    known, recipe = _known(fate.batch[tag][: fate.now + 1]), np.maximum(fate.recipe[tag], 1e-3)
    expected = float(np.median(known[before] / recipe[before])) * recipe[start : fate.end + 1]
    count = fate.now + 1 - start
    share = np.log(np.maximum(inputs[:count, place], 1e-3) / expected[:count])
    departs = _DEPARTED * usual.sizes(_LEVEL_H)[signatures.NAMES.index(sign)]
    away = np.abs(share) > departs
    now = _last(share) if goes_on and abs(_last(share)) > departs else 0.0
    later = expected[count:]
    recorded = np.concatenate([inputs[:count, place], later * np.exp(now)])
    restored = np.concatenate([np.where(away, expected[:count], inputs[:count, place]), later])
    return recorded, restored


def _with_inputs(fork: Fork, place: int, column: FloatArray) -> Fork:
    inputs = fork.inputs.copy()
    inputs[:, place] = column
    return replace(fork, inputs=inputs)


def _with_constants(
    fork: Fork, name: str, fate: Fate, start: int, goes_on: bool
) -> tuple[Fork, Fork]:
    """Return the forks with a constant as estimated, and as it was before the onset."""
    place = [one.name for one in measuring.UNCERTAIN].index(name)
    earlier = fate.ensembles[start - 1, :, at.STATES + place]
    recorded, restored = fork.constants.copy(), fork.constants.copy()
    restored[:, :, place] = earlier
    if not goes_on:
        recorded[fate.now + 1 - start :, :, place] = earlier
    return replace(fork, constants=recorded), replace(fork, constants=restored)


def _drift(fate: Fate, start: int) -> FloatArray:
    """Return by how much the probe shows too much, K, from the start of the forks to now."""
    heat = fate.traces[:, signatures.NAMES.index("heat")]
    settled = heat[min(signatures.SETTLED_SAMPLES, start - 1) : start]
    return np.nan_to_num(heat[start : fate.now + 1] - np.nanmedian(settled))


def _known(values: FloatArray) -> FloatArray:
    found = signatures.held(values)
    if not np.isfinite(found).all():
        raise NoCounterfactual(
            "no impact is stated: temperature, pH or a set-point was never measured"
        )
    return found


def _taken_before(fate: Fate, start: int) -> FloatArray:
    """Return what each member had lost to discharges before the forks, kg."""
    flow = following.inputs_of(fate.batch)[:start, at.DISCHARGE]
    parts = -flow[:, np.newaxis] * SAMPLE_H * fate.ensembles[:start, :, at.P] / 1000.0
    found: FloatArray = np.add.accumulate(parts, axis=0)[-1]
    return found


def _products(fate: Fate, recorded: Fork, restored: Fork, start: int) -> tuple[FloatArray, float]:
    """Return the product made since the start by each sample, kg (3, samples, members), and the error
    of the first member.
    """
    made = np.empty((3, fate.end + 1 - start, fate.ensembles.shape[1]))
    steps, error = 1, np.inf
    while error > TOLERANCE and steps <= _MOST_STEPS:
        error = forking.run(
            fate.ensembles[start - 1 : fate.now + 1], parameters.nominal(), measuring.PLACES,
            *(recorded.inputs, recorded.temperature_k, recorded.ph, recorded.constants),
            *(restored.inputs, restored.temperature_k, restored.ph, restored.constants),
            start * SAMPLE_H, SAMPLE_H, steps, following.TABLE, made,
        )  # fmt: skip
        steps *= 2
    if _is_same(recorded, restored):
        # Nothing departs, so nothing can be the deviation's doing.
        made[2] = made[1]
    return made, float(error)


def _is_same(one: Fork, other: Fork) -> bool:
    pairs = zip(vars(one).values(), vars(other).values(), strict=True)
    return all(np.array_equal(a, b) for a, b in pairs)


def _path(products: FloatArray, start: int) -> tuple[Made, ...]:
    """Return the product by sample from `start` on, at moments as far apart as `_TOLD` asks for."""
    count = products.shape[1]
    every = -(-count // _TOLD)
    return tuple(
        Made((start + one + 1) * SAMPLE_H, _spread(products[0, one]), _widest(products[1:, one]))
        for one in reversed(range(count - 1, -1, -every))
    )


def _spread(values: FloatArray) -> tuple[float, float, float]:
    low, middle, high = (float(ensemble.quantile(values, one)) for one in (LOW, MIDDLE, HIGH))
    return low, middle, high


def _widest(values: FloatArray) -> tuple[float, float, float]:
    """Return the median of the first row, and the farther ends of both (2, members)."""
    (low, middle, high), (other_low, _, other_high) = (_spread(row) for row in values)
    return min(low, other_low), middle, max(high, other_high)


def proposed_of(share: tuple[float, float, float]) -> Class:
    """Propose major or minor when the whole interval is on that side of the threshold."""
    low, _, high = share
    if low >= MAJOR_FROM:
        return "major"
    return "minor" if high < MAJOR_FROM else "undecided"
