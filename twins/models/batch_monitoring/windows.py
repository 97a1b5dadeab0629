"""Causal windows over a series: each value of the result uses the present and the past only."""

import numpy as np

from twins.models.batch_monitoring.samples import Bools, Floats
from twins.models.batch_monitoring.signals import STEP_H


def smoothed(
    series: Floats,
    *,
    over_h: float | Floats,
    start: Floats | None = None,
    told: Bools | None = None,
) -> Floats:
    """Return the exponentially weighted mean over time, column by column.

    It starts at `start`, or at the first row; each column may have its own `over_h`. Where
    `told` is false it stands still, and it starts where `told` is true for the first time.
    """
    if not len(series):
        return series.copy()
    share = 1.0 - np.exp(-STEP_H / np.asarray(over_h, dtype=np.float64))
    found = np.empty(series.shape)
    state = np.array(series[0] if start is None else start, dtype=np.float64)
    change = np.empty_like(state)
    weights = share if told is None else np.where(told, share, 0.0)
    begun = np.ones(state.shape, dtype=np.bool_) if told is None else told[0].copy()
    for step in range(len(series)):
        if told is not None and not begun.all():
            state = np.where(begun, state, series[step])
            begun |= told[step]
        np.subtract(series[step], state, out=change)
        np.multiply(change, weights if told is None else weights[step], out=change)
        np.add(state, change, out=state)
        found[step] = state
    return found


def smoothed_all(parts: dict[str, tuple[Floats, float]]) -> dict[str, Floats]:
    """Return the weighted means of many named series, each over its own time, from zero on."""
    names = list(parts)
    found = smoothed(
        np.column_stack([parts[name][0] for name in names]),
        over_h=np.array([parts[name][1] for name in names]),
        start=np.zeros(len(names)),
    )
    return {name: found[:, place] for place, name in enumerate(names)}


def delayed(series: Floats, *, steps: int) -> Floats:
    """Return the series as it was so many steps ago; before its beginning its first row."""
    if not len(series) or steps <= 0:
        return series.copy()
    found = np.empty_like(series)
    found[:steps] = series[0]
    found[steps:] = series[:-steps]
    return found


def summed(series: Floats) -> Floats:
    """Return the running integral over hours, column by column, added in order of time."""
    return np.add.accumulate(series * STEP_H, axis=0)


def least_of_last(series: Floats, *, count: int) -> Floats:
    """Return the least of the last `count` values; before there are so many, zero."""
    found = series.copy()
    for back in range(1, count):
        earlier = np.zeros_like(series)
        earlier[back:] = series[:-back] if back < len(series) else series[:0]
        found = np.minimum(found, earlier)
    return found
