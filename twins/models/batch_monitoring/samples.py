"""Put the samples of one batch on an even grid, in the order in which they came."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twins.models.batch_monitoring.signals import LABORATORY_NAMES, ONLINE, ONLINE_NAMES, STEP_H

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

# A signal that is silent for longer than this is not known any more.
HOLD_H = 1.0
# A batch of this twin is over long before; a later time is a wrong unit.
LONGEST_H = 2000.0

ON_TIME, REPEATED, LATE, UNTIMED = 0, 1, 2, 3
NOTES = ("", "repeated", "late", "without-time")


@dataclass(frozen=True)
class Grid:
    """One batch, one row a step of the grid: held values, what was fresh, and the answer's place.

    `row_slot` tells for each sample, in the order of arrival, which step answers it;
    `row_note` what was odd about it.
    """

    time_h: Floats
    values: Floats
    fresh: Bools
    known: Bools
    laboratory: Floats
    laboratory_fresh: Bools
    laboratory_age: Ints
    row_slot: Ints
    row_note: Ints


def on_grid(time_h: Floats, online: Mapping[str, Floats], laboratory: Mapping[str, Floats]) -> Grid:
    """Return the batch on the grid; nothing at a step depends on a sample that came later.

    A sample that is not newer than the newest so far is answered with the present state and
    changes nothing. Steps without a sample hold the last values, marked as not fresh.
    """
    raw = np.column_stack([online[name] for name in ONLINE_NAMES])
    lab = np.column_stack([laboratory[name] for name in LABORATORY_NAMES])
    low = np.array([one.low for one in ONLINE])
    high = np.array([one.high for one in ONLINE])
    taken, row_slot, row_note = _slots(time_h)
    first, last = (taken[0][0], taken[-1][0]) if taken else (1, 0)
    steps = last - first + 1
    values = np.full((steps, raw.shape[1]), np.nan)
    results = np.full((steps, lab.shape[1]), np.nan)
    if taken:
        at = np.array([slot - first for slot, _ in taken])
        rows = np.array([row for _, row in taken])
        with np.errstate(invalid="ignore"):
            sound = np.isfinite(raw) & (raw >= low) & (raw <= high)
        values[at] = np.where(sound, raw, np.nan)[rows]
        results[at] = lab[rows]
    fresh = np.isfinite(values)
    lab_fresh = np.isfinite(results)
    held, silent = _hold(values)
    held_lab, lab_age = _hold(results)
    return Grid(
        time_h=np.arange(first, last + 1, dtype=np.float64) * STEP_H,
        values=held,
        fresh=fresh,
        known=silent <= round(HOLD_H / STEP_H),
        laboratory=held_lab,
        laboratory_fresh=lab_fresh,
        laboratory_age=lab_age,
        row_slot=row_slot - first,
        row_note=row_note,
    )


def _slots(time_h: Floats) -> tuple[list[tuple[int, int]], Ints, Ints]:
    taken: list[tuple[int, int]] = []
    row_slot = np.full(len(time_h), -1, dtype=np.int64)
    note = np.zeros(len(time_h), dtype=np.int64)
    newest = -np.inf
    for row, at_h in enumerate(time_h.tolist()):
        if not (0.0 <= at_h <= LONGEST_H):
            note[row] = UNTIMED
        elif at_h < newest:
            note[row] = LATE
        else:
            slot = max(round(at_h / STEP_H), 1)
            if taken and slot <= taken[-1][0]:
                note[row] = REPEATED
            else:
                taken.append((slot, row))
            newest = at_h
        row_slot[row] = taken[-1][0] if taken else -1
    return taken, row_slot, note


def _hold(values: Floats) -> tuple[Floats, Ints]:
    """Return the last known value of each column, and for how many steps it is silent."""
    steps = np.arange(len(values))[:, None]
    seen_at = np.maximum.accumulate(np.where(np.isfinite(values), steps, -1), axis=0)
    held = np.take_along_axis(values, np.maximum(seen_at, 0), axis=0)
    held = np.where(seen_at >= 0, held, np.nan)
    silent = np.where(seen_at >= 0, steps - seen_at, 10**6).astype(np.int64)
    return held, silent
