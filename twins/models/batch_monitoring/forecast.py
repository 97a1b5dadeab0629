"""Forecast the hidden product of a batch at fixed horizons, with bounds from batches left out."""

from dataclasses import dataclass

import numpy as np

from twins.models.batch_monitoring import windows
from twins.models.batch_monitoring.design import COLUMN, INDEX, PROFILE_STEPS, Design
from twins.models.batch_monitoring.samples import Floats, Grid
from twins.models.batch_monitoring.signals import (
    LABORATORY_DELAY_H,
    LABORATORY_NAMES,
    ONLINE_NAMES,
    STEP_H,
)

HORIZONS_H = (0, 12, 24, 40)
QUANTITIES = ("penicillin", "product")
BIN_H = 12.0
BINS = 24
_SHRINK = 0.02
# The bounds are wider where the batch is odd: below half the limit, below it, above it.
LEVELS = (0.5, 1.0)
_SHORT = (
    "Fg", "Fs", "Fb", "Fw", "pressure", "Fpaa", "DO2", "Wt", "pH", "T", "Q", "CO2outgas", "OUR", "CER",
)  # fmt: skip
_SUMS = ("CER", "OUR", "Fs", "Fpaa", "Fb", "DO2")
_LABORATORY_DELAY_STEPS = round(LABORATORY_DELAY_H / STEP_H)


@dataclass(frozen=True)
class Forecaster:
    """Per quantity and horizon: usual course, coefficients by age, and half widths by oddness."""

    usual: dict[str, Floats]
    weights: dict[str, Floats]
    width: dict[str, Floats]


def key(quantity: str, horizon_h: int) -> str:
    """Return the name of a forecast, as in the columns of the answer."""
    return f"{quantity}_{horizon_h}h"


KEYS = tuple(key(quantity, one) for quantity in QUANTITIES for one in HORIZONS_H)


def bins_of(time_h: Floats) -> np.ndarray:
    """Return the bin of each age."""
    return np.clip((time_h / BIN_H).astype(np.int64), 0, BINS - 1)


def features(grid: Grid, design: Design) -> Floats:
    """Return what a forecast is made of: latest results, signals and sums up to now."""
    lab = grid.laboratory
    p_at = LABORATORY_NAMES.index("lab_P")
    fresh = np.flatnonzero(grid.laboratory_fresh[:, p_at])
    steps = np.arange(len(grid.time_h))
    since = np.full(len(steps), 120.0)
    slope = np.zeros(len(steps))
    centred_p = design.signals[:, INDEX["lab_P"]]
    for place, at in enumerate(fresh.tolist()):
        since[at:] = np.minimum(steps[at:] - at, 120)
        if place:
            slope[at:] = centred_p[at] - centred_p[fresh[place - 1]]
    sums = windows.summed(design.signals[:, [INDEX[name] for name in _SUMS]])
    sampled = windows.delayed(sums, steps=_LABORATORY_DELAY_STEPS)
    at_sample = np.zeros_like(sums)
    for at in fresh.tolist():
        at_sample[at:] = sampled[at]
    held_p = np.nan_to_num(lab[:, p_at])
    weight_kg = np.nan_to_num(grid.values[:, ONLINE_NAMES.index("Wt")])
    removed_l = -np.nan_to_num(grid.values[:, ONLINE_NAMES.index("Fremoved")])
    removed = windows.summed((removed_l * held_p)[:, None])[:, 0] / 1000.0
    within = held_p * weight_kg / 1000.0
    usual_step = (since - 30.0) / 30.0
    columns = [
        *(design.signals[:, INDEX[name]] for name in LABORATORY_NAMES),
        slope,
        slope * usual_step,
        centred_p * usual_step,
        usual_step,
        *(design.columns[:, COLUMN[f"short {name}"]] for name in _SHORT),
        *(sums[:, place] for place in range(len(_SUMS))),
        *((sums - at_sample)[:, place] for place in range(len(_SUMS))),
        within,
        removed,
        (grid.time_h % BIN_H) / BIN_H - 0.5,
        np.ones(len(steps)),
    ]
    return np.column_stack(columns)


def hidden_targets(penicillin: Floats, volume_l: Floats, removed_l_h: Floats) -> dict[str, Floats]:
    """Return what is to be forecast, from the hidden concentration and volume at every step."""
    removed = np.add.accumulate(-removed_l_h * STEP_H * penicillin) / 1000.0
    return {"penicillin": penicillin, "product": penicillin * volume_l / 1000.0 + removed}


def laboratory_targets(grid: Grid) -> dict[str, Floats]:
    """Return what is to be forecast where nothing hidden is known: results joined by lines."""
    at = np.flatnonzero(grid.laboratory_fresh[:, LABORATORY_NAMES.index("lab_P")])
    results = grid.laboratory[at, LABORATORY_NAMES.index("lab_P")]
    steps = np.arange(len(grid.time_h), dtype=np.float64)
    course = np.interp(steps, at - _LABORATORY_DELAY_STEPS, results, left=np.nan, right=np.nan)
    # The broth weighs about 1.11 kg a litre.
    volume_l = grid.values[:, ONLINE_NAMES.index("Wt")] / 1.11
    removed = grid.values[:, ONLINE_NAMES.index("Fremoved")]
    whole = hidden_targets(np.nan_to_num(course), volume_l, removed)
    return {
        "penicillin": course,
        "product": np.where(np.isfinite(course), whole["product"], np.nan),
    }


def ahead(target: Floats, horizon_h: int) -> Floats:
    """Return the target so many hours later; not a number after the end."""
    steps = round(horizon_h / STEP_H)
    found = np.full(len(target), np.nan)
    if steps < len(target):
        found[: len(target) - steps] = target[steps:]
    return found


def fit(
    slots: list[np.ndarray],
    times: list[Floats],
    rows: list[Floats],
    targets: list[dict[str, Floats]],
) -> Forecaster:
    """Fit all forecasts; the widths are still empty."""
    usual, weights = {}, {}
    place = np.concatenate([bins_of(one[::5]) for one in times])
    x = np.concatenate([one[::5] for one in rows])
    for quantity in QUANTITIES:
        course = _usual(slots, [one[quantity] for one in targets])
        usual[quantity] = course
        for horizon_h in HORIZONS_H:
            steps = round(horizon_h / STEP_H)
            y = np.concatenate(
                [
                    (
                        ahead(one[quantity], horizon_h)
                        - course[np.minimum(slot + steps, PROFILE_STEPS - 1)]
                    )[::5]
                    for slot, one in zip(slots, targets, strict=True)
                ]
            )
            weights[key(quantity, horizon_h)] = _ridge(place, x, y)
    return Forecaster(usual, weights, {})


def _usual(slots: list[np.ndarray], targets: list[Floats]) -> Floats:
    stack = np.full((len(slots), PROFILE_STEPS), np.nan)
    for place, (slot, target) in enumerate(zip(slots, targets, strict=True)):
        stack[place, slot] = target
    seen = np.isfinite(stack).sum(axis=0) >= 8
    found = np.full(PROFILE_STEPS, np.nan)
    found[seen] = np.nanmedian(stack[:, seen], axis=0)
    at = np.flatnonzero(seen)
    course: Floats = np.interp(np.arange(PROFILE_STEPS), at, found[at])
    return course


def _ridge(place: np.ndarray, x: Floats, y: Floats) -> Floats:
    found = np.zeros((BINS, x.shape[1]))
    for one in range(BINS):
        near = (np.abs(place - one) <= 1) & np.isfinite(y)
        if near.sum() < 300:
            if one:
                found[one] = found[one - 1]
            continue
        part, goal = x[near], y[near]
        middle = part.mean(axis=0)
        middle[-1] = 0.0
        scale = part.std(axis=0)
        scale[-1] = 1.0
        used = scale > 1e-9
        z = (part - middle)[:, used] / scale[used]
        shrink = _SHRINK * np.eye(z.shape[1])
        shrink[-1, -1] = 0.0
        solved = np.linalg.solve(z.T @ z / len(z) + shrink, z.T @ goal / len(z))
        found[one, used] = solved / scale[used]
        found[one, -1] -= float(np.dot(found[one, :-1], middle[:-1]))
    return found


def middle(
    forecaster: Forecaster, slot: np.ndarray, time_h: Floats, rows: Floats
) -> dict[str, Floats]:
    """Return the forecasts, added column after column."""
    place = bins_of(time_h)
    found = {}
    for quantity in QUANTITIES:
        for horizon_h in HORIZONS_H:
            name = key(quantity, horizon_h)
            weights = forecaster.weights[name][place]
            steps = round(horizon_h / STEP_H)
            total = forecaster.usual[quantity][np.minimum(slot + steps, PROFILE_STEPS - 1)].copy()
            for column in range(rows.shape[1]):
                total = total + weights[:, column] * rows[:, column]
            found[name] = np.maximum(total, 0.0)
    return found


def level_of(odd: Floats) -> np.ndarray:
    """Return how odd the batch is: 0, 1 or 2, from its score in units of the limit."""
    return np.searchsorted(np.array(LEVELS), odd, side="right")


def widths(
    times: list[Floats],
    odd: list[Floats],
    guesses: list[dict[str, Floats]],
    targets: list[dict[str, Floats]],
    *,
    coverage: float,
) -> dict[str, Floats]:
    """Return half widths by age and oddness from forecasts for batches that the fit had not seen."""
    place = np.concatenate([bins_of(one) for one in times])
    level = np.concatenate([level_of(one) for one in odd])
    found = {}
    for quantity in QUANTITIES:
        for horizon_h in HORIZONS_H:
            name = key(quantity, horizon_h)
            off = np.abs(
                np.concatenate(
                    [
                        ahead(t[quantity], horizon_h) - g[name]
                        for t, g in zip(targets, guesses, strict=True)
                    ]
                )
            )
            found[name] = _half_widths(off, place, level, coverage)
    return found


def _half_widths(off: Floats, place: np.ndarray, level: np.ndarray, coverage: float) -> Floats:
    width = np.zeros((BINS, len(LEVELS) + 1))
    told = np.isfinite(off)
    for one in range(BINS):
        near = told & (np.abs(place - one) <= 1)
        if near.sum() < 300:
            width[one] = width[one - 1] if one else 0.0
            continue
        width[one, :] = np.quantile(off[near], coverage)
    # Oddness multiplies the width at every age: there are too few odd batches for each age.
    for grade in range(len(LEVELS) + 1):
        part = told & (level == grade) & (width[place, grade] > 0)
        if part.sum() > 300:
            ratio = off[part] / width[place[part], grade]
            width[:, grade] *= float(np.quantile(ratio, coverage))
    for grade in range(1, len(LEVELS) + 1):
        width[:, grade] = np.maximum(width[:, grade], width[:, grade - 1])
    return width


def bounds(
    forecaster: Forecaster, time_h: Floats, odd: Floats, guesses: dict[str, Floats]
) -> dict[str, tuple[Floats, Floats]]:
    """Return lower and upper bounds of each forecast."""
    place, level = bins_of(time_h), level_of(odd)
    found = {}
    for name, guess in guesses.items():
        half = forecaster.width[name][place, level]
        found[name] = (np.maximum(guess - half, 0.0), guess + half)
    return found
