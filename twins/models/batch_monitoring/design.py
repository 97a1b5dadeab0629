"""Turn a batch on the grid into centred columns: what is usual at that age is taken away."""

from dataclasses import dataclass

import numpy as np

from twins.models.batch_monitoring import windows
from twins.models.batch_monitoring.samples import Bools, Floats, Grid, Ints
from twins.models.batch_monitoring.signals import LABORATORY_NAMES, ONLINE_NAMES, STEP_H

SIGNALS = (*ONLINE_NAMES, "carbon", "oxygen", *LABORATORY_NAMES)
INDEX = {name: place for place, name in enumerate(SIGNALS)}
# The regressions have coefficients of their own between these ages: the recipe's larger steps.
PHASE_EDGES_H = (12.0, 26.0, 40.0, 75.0, 100.0, 150.0, 200.0)
# The ages that the profile covers; fewer batches than this are no profile.
PROFILE_STEPS = 1400
PROFILE_BATCHES = 4
TAUGHT_BATCHES = 8
SHORT_H, LONG_H = 1.5, 4.0
BACK_STEPS = {"12": 60, "48": 240}
# Flows and rates whose mean since the earlier moment explains a change.
CARRIED = ("Fg", "Fs", "Fb", "Fw", "pressure", "Fpaa", "Foil", "CER", "OUR", "Fremoved", "Fc")


@dataclass(frozen=True)
class Design:
    """The centred columns of one batch; `names` tells the columns of `columns`."""

    slot: Ints
    phase: Ints
    signals: Floats
    transformed: Floats
    columns: Floats
    known: Bools
    whole: Bools
    fresh: Bools
    gaps: Floats


NAMES: tuple[str, ...] = (
    *(f"now {name}" for name in SIGNALS),
    *(f"1 ago {name}" for name in SIGNALS),
    *(f"2 ago {name}" for name in SIGNALS),
    *(f"3 ago {name}" for name in SIGNALS),
    *(f"before {name}" for name in SIGNALS),
    *(f"short {name}" for name in SIGNALS),
    *(f"long {name}" for name in SIGNALS),
    *(f"12 ago {name}" for name in SIGNALS),
    *(f"48 ago {name}" for name in SIGNALS),
    *(f"mean 12 {name}" for name in CARRIED),
    *(f"mean 48 {name}" for name in CARRIED),
    "age",
    "one",
)
COLUMN = {name: place for place, name in enumerate(NAMES)}


def transformed(grid: Grid) -> tuple[Floats, Bools]:
    """Return the signals on the scale on which they are compared, and which are known."""
    v = {name: grid.values[:, place] for place, name in enumerate(ONLINE_NAMES)}
    known = {name: grid.known[:, place] for place, name in enumerate(ONLINE_NAMES)}
    found = []
    for name in ONLINE_NAMES:
        # Cooling and heating water range over five decades.
        found.append(np.log1p(np.maximum(v[name], 0.0) / 10.0) if name in ("Fc", "Fh") else v[name])
    found.append(v["Fg"] * v["CO2outgas"])
    found.append(v["Fg"] * (0.2095 - v["O2"]))
    all_known = [known[name] for name in ONLINE_NAMES]
    all_known.append(known["Fg"] & known["CO2outgas"])
    all_known.append(known["Fg"] & known["O2"])
    for place in range(len(LABORATORY_NAMES)):
        found.append(grid.laboratory[:, place])
        all_known.append(np.isfinite(grid.laboratory[:, place]))
    return np.column_stack(found), np.column_stack(all_known)


def slots(grid: Grid) -> Ints:
    """Return the place of each step in the profile; later than it reaches, its last place."""
    place = np.rint(grid.time_h / STEP_H).astype(np.int64) - 1
    return np.clip(place, 0, PROFILE_STEPS - 1)


def phases(time_h: Floats) -> Ints:
    """Return the phase of each age."""
    return np.searchsorted(np.array(PHASE_EDGES_H), time_h, side="right").astype(np.int64)


def profile_of(grids: list[Grid]) -> tuple[Floats, int]:
    """Return the median of every signal at every age, held where few batches are left.

    And the last place where there are enough of them.
    """
    found = np.full((PROFILE_STEPS, len(SIGNALS)), np.nan)
    stack = np.full((len(grids), PROFILE_STEPS, len(SIGNALS)), np.nan, dtype=np.float32)
    for place, grid in enumerate(grids):
        values, _ = transformed(grid)
        at = slots(grid)
        stack[place, at] = values
    # Sorted, what is not a number comes last.
    stack.sort(axis=0)
    count = np.isfinite(stack).sum(axis=0)
    enough = count >= PROFILE_BATCHES
    lower = np.take_along_axis(stack, np.maximum((count - 1) // 2, 0)[None], axis=0)[0]
    upper = np.take_along_axis(stack, np.minimum(count // 2, len(grids) - 1)[None], axis=0)[0]
    found[enough] = ((lower.astype(np.float64) + upper) / 2.0)[enough]
    taught = np.flatnonzero((count >= TAUGHT_BATCHES).any(axis=1))
    last = int(taught[-1]) if len(taught) else 0
    for step in range(1, PROFILE_STEPS):
        found[step] = np.where(np.isfinite(found[step]), found[step], found[step - 1])
    for step in range(PROFILE_STEPS - 2, -1, -1):
        found[step] = np.where(np.isfinite(found[step]), found[step], found[step + 1])
    return np.asarray(np.nan_to_num(found), dtype=np.float64), last


def _fresh(grid: Grid) -> Bools:
    fresh = {name: grid.fresh[:, place] for place, name in enumerate(ONLINE_NAMES)}
    found = [fresh[name] for name in ONLINE_NAMES]
    found += [fresh["Fg"] & fresh["CO2outgas"], fresh["Fg"] & fresh["O2"]]
    found += list(np.isfinite(grid.laboratory).T)
    return np.column_stack(found)


def fresh_for(fresh: Bools, steps: int) -> Bools:
    """Tell where this sample and those before it came without a hole."""
    found = fresh.copy()
    for back in range(1, min(steps, len(fresh))):
        found[back:] &= fresh[:-back]
    return found


def _held(series: Floats) -> Floats:
    """Return the last known value of each column; before the first one, zero."""
    steps = np.arange(len(series))[:, None]
    seen_at = np.maximum.accumulate(np.where(np.isfinite(series), steps, -1), axis=0)
    held = np.take_along_axis(series, np.maximum(seen_at, 0), axis=0)
    return np.where(seen_at >= 0, held, 0.0)


def design_of(grid: Grid, profile: Floats) -> Design:
    """Return the centred columns of a batch."""
    values, known = transformed(grid)
    slot = slots(grid)
    # A signal that is silent keeps its distance from what is usual; it is not taken for usual.
    fresh = _fresh(grid)
    x = _held(np.where(fresh, values - profile[slot], np.nan))
    width = x.shape[1]
    # In a hole a mean stands still: it must not become the noise of the last sample.
    told = fresh.copy()
    told[:, [INDEX[name] for name in LABORATORY_NAMES]] = True
    told[0] = True
    both = windows.smoothed(
        np.column_stack([x, x]),
        over_h=np.repeat([SHORT_H, LONG_H], width),
        told=np.column_stack([told, told]),
    )
    short, long = both[:, :width], both[:, width:]
    carried = x[:, [INDEX[name] for name in CARRIED]]
    total = windows.summed(carried)
    means = [
        (total - windows.delayed(total, steps=steps)) / (steps * STEP_H)
        for steps in BACK_STEPS.values()
    ]
    columns = np.column_stack(
        [
            x,
            windows.delayed(x, steps=1),
            windows.delayed(x, steps=2),
            windows.delayed(x, steps=3),
            windows.delayed(short, steps=1),
            short,
            long,
            windows.delayed(short, steps=BACK_STEPS["12"]),
            windows.delayed(long, steps=BACK_STEPS["48"]),
            *means,
            (grid.time_h - 100.0) / 100.0,
            np.ones(len(x)),
        ]
    )
    return Design(
        slot=slot,
        phase=phases(grid.time_h),
        signals=x,
        transformed=values,
        # Column after column is how they are read.
        columns=np.asfortranarray(columns),
        known=known,
        whole=fresh_for(fresh, 4),
        fresh=fresh,
        gaps=np.add.accumulate((grid.fresh.mean(axis=1) < 0.5).astype(np.float64)),
    )
