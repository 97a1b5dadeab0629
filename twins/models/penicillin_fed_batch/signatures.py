"""Turn a batch into signs of faults: departures since a moment, in units of what normal batches show.

Each sign is a redundancy: a set-point against the recipe, a flow against what its loop asked for, the
temperature probe against the heat, a measured value against the twin. A process that merely answers a
fault moves few of them, so a fault leaves a signature (Gertler 1998, structured residuals).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twins.models.penicillin_fed_batch import usual
from twins.models.penicillin_fed_batch.following import SAMPLE_H, Features

FloatArray = NDArray[np.float64]

# kJ/kg/K of broth, and the unit of the heat signal, as the temperature balance of the twin has them.
_HEAT_CAPACITY = 4.18e-3
# The last hour before the suspected onset is left out of what is called "before".
_GUARD_SAMPLES = 5
_LEAST_BEFORE = 5


class MomentInvalid(ValueError):
    """The suspected onset leaves too few samples before it or none after it."""

    code = "explain-moment-invalid"


@dataclass(frozen=True)
class Sign:
    """One redundancy: smoothed over `over_h`, compared with the `before_h` before, for `within_h`."""

    name: str
    title: str
    unit: str
    over_h: float
    before_h: float
    within_h: float


SIGNS: tuple[Sign, ...] = (
    Sign("sugar", "sugar feed against the recipe", "ln", 0.6, 6.0, 12.0),
    Sign("aeration", "aeration against the recipe", "ln", 0.6, 6.0, 12.0),
    Sign("pressure", "head pressure against the recipe", "ln", 0.6, 6.0, 12.0),
    Sign("base-loop", "base flow against what the pH loop asks", "ln", 2.0, 24.0, 12.0),
    Sign("ph", "pH against its set-point", "[pH]", 2.0, 6.0, 24.0),
    Sign("coolant-loop", "coolant against what its loop asks", "ln", 4.0, 24.0, 24.0),
    Sign("temperature", "temperature against its set-point", "K", 2.0, 6.0, 24.0),
    Sign("heat", "temperature probe against the heat", "K", 4.0, 1000.0, 1000.0),
    Sign("transfer", "oxygen transfer that the twin needs", "ln", 1.0, 6.0, 48.0),
    Sign("strength", "strength of the sugar that the twin needs", "ln", 1.0, 6.0, 48.0),
    Sign("carbon", "carbon dioxide against the twin", "sd", 3.0, 6.0, 48.0),
)
NAMES: tuple[str, ...] = tuple(one.name for one in SIGNS)
_PLACE = {name: place for place, name in enumerate(NAMES)}
# What the loops do with a sample's and the three last deviations from the set-point; see `usual`.
_LOOPS = (("base-loop", "Fb", "pH", -1.0), ("coolant-loop", "Fc", "T", 1.0))
# L/h: added to both flows, and what a loop must ask for in the mean; a shut valve tells nothing.
_LEAST_FLOW, _LEAST_ASKED = 5.0, 20.0
# The first hours of a batch are no reference for the heat.
SETTLED_SAMPLES = 60


@dataclass(frozen=True)
class Shown:
    """Largest departure of each sign (signs,) in its own unit, in usual sizes, and when."""

    departure: FloatArray
    size: FloatArray
    at_sample: NDArray[np.int64]


def traces(
    batch: Mapping[str, FloatArray], recipe: Mapping[str, FloatArray], found: Features
) -> FloatArray:
    """Return every sign (samples, signs), smoothed backwards only; no value where there is none.

    `batch` has one value a sample from inoculation, `recipe` the usual set-points at these ages (`Fs`
    and `Fg` per hour and minute, `pressure` in bar).
    """
    count = len(found.error)
    rows = np.full((count, len(SIGNS)), np.nan)
    for name, tag, least in (
        ("sugar", "Fs", 5.0),
        ("aeration", "Fg", 5.0),
        ("pressure", "pressure", 0.1),
    ):
        rows[:, _PLACE[name]] = _against(batch[tag], recipe[tag][:count], least)
    for name, flow, held, side in _LOOPS:
        error = side * (batch[held] - usual.SET_POINTS[held])
        rows[:, _PLACE[name]] = _delivered(
            batch[flow], error, usual.LOOPS[flow], over_h=SIGNS[_PLACE[name]].over_h
        )
    rows[:, _PLACE["ph"]] = batch["pH"]
    rows[:, _PLACE["temperature"]] = batch["T"]
    rows[:, _PLACE["heat"]] = batch["T"] - _warmed(batch["Q"], batch["Wt"])
    rows[:, _PLACE["transfer"]] = np.log(found.column("alpha_kla")[0])
    rows[:, _PLACE["strength"]] = np.log(found.column("c_s")[0])
    innovation = found.normalised[:, found.tags.index("CO2outgas")]
    rows[:, _PLACE["carbon"]] = np.clip(innovation, -8.0, 8.0)
    for place, one in enumerate(SIGNS):
        if not one.name.endswith("-loop"):
            rows[:, place] = _mean_back(rows[:, place], round(one.over_h / SAMPLE_H))
    return rows


def shown(rows: FloatArray, *, onset: int, now: int) -> Shown:
    """Return the largest departure of each sign from sample `onset` to `now`; raise `MomentInvalid`.

    Only samples up to `now` count. A departure is from the median before the onset.
    """
    if onset - _GUARD_SAMPLES < _LEAST_BEFORE or now < onset:
        raise MomentInvalid(
            f"the onset at sample {onset + 1} has too few samples before it, or none up to {now + 1}; "
            f"name an onset from {(_LEAST_BEFORE + _GUARD_SAMPLES + 1) * SAMPLE_H:g} h on, before the "
            "moment of the question"
        )
    departure, at = np.zeros(len(SIGNS)), np.full(len(SIGNS), onset, dtype=np.int64)
    for place, one in enumerate(SIGNS):
        end = onset - _GUARD_SAMPLES
        start = max(end - round(one.before_h / SAMPLE_H), 0)
        start = min(max(start, SETTLED_SAMPLES), end - _LEAST_BEFORE)
        before = rows[start:end, place]
        last = min(now, onset + round(one.within_h / SAMPLE_H))
        since = rows[onset : last + 1, place]
        known = np.flatnonzero(np.isfinite(since))
        if not np.isfinite(before).any() or not len(known):
            continue
        moved = since - np.median(before[np.isfinite(before)])
        at[place] = onset + known[np.argmax(np.abs(moved[known]))]
        departure[place] = moved[at[place] - onset]
    size = departure / usual.sizes((now - onset + 1) * SAMPLE_H)
    return Shown(departure, size, at)


def _against(measured: FloatArray, recipe: FloatArray, least: float) -> FloatArray:
    ratio: FloatArray = np.log(np.maximum(measured, 0.1 * least) / np.maximum(recipe, least))
    return ratio


def _delivered(
    flow: FloatArray, error: FloatArray, gains: FloatArray, *, over_h: float
) -> FloatArray:
    """Return ln of what was delivered over what the loop asked for, in the last hours."""
    asked = np.full(len(flow), np.nan)
    rows = np.stack([flow[2:-1], error[3:], error[2:-1], error[1:-2], error[:-3]], axis=1)
    asked[3:] = gains[5]
    for place in range(5):
        asked[3:] += gains[place] * rows[:, place]
    known = np.isfinite(asked) & np.isfinite(flow)
    steps = round(over_h / SAMPLE_H)
    delivered = _mean_back(np.where(known, flow, np.nan), steps)
    wanted = _mean_back(np.where(known, np.maximum(asked, 0.0), np.nan), steps)
    told = wanted >= _LEAST_ASKED
    found: FloatArray = np.full(len(flow), np.nan)
    found[told] = np.log((delivered[told] + _LEAST_FLOW) / (wanted[told] + _LEAST_FLOW))
    return found


def _warmed(heat: FloatArray, weight: FloatArray) -> FloatArray:
    """Return the kelvin by which the heat gained since the start warmed the broth."""
    heat, weight = held(heat), held(weight)
    steps = np.diff(heat, prepend=heat[:1]) / (_HEAT_CAPACITY * weight)
    found: FloatArray = np.add.accumulate(steps)
    return found


def held(values: FloatArray) -> FloatArray:
    """Return the last known value at each sample; before the first one, that one."""
    known = np.flatnonzero(np.isfinite(values))
    if not len(known):
        return values
    places = np.searchsorted(known, np.arange(len(values)), side="right") - 1
    found: FloatArray = values[known[np.maximum(places, 0)]]
    return found


def _mean_back(values: FloatArray, steps: int) -> FloatArray:
    """Return the mean of what is known of the last `steps` values; none where half of them are not."""
    known = np.isfinite(values)
    total = np.concatenate([[0.0], np.add.accumulate(np.where(known, values, 0.0))])
    count = np.concatenate([[0], np.add.accumulate(known.astype(np.int64))])
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(ends - steps, 0)
    some = count[ends] - count[starts]
    enough = 2 * some >= np.maximum(steps, 1)
    found: FloatArray = np.full(len(values), np.nan)
    found[enough] = (total[ends] - total[starts])[enough] / some[enough]
    return found
