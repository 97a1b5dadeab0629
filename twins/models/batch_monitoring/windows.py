"""Causal windows over a series: each value of the result uses the present and the past only."""

import math

import numpy as np

from twins.models.batch_monitoring.samples import Floats
from twins.models.batch_monitoring.signals import STEP_H


def smoothed(series: Floats, *, over_h: float, start: Floats | None = None) -> Floats:
    """Return the exponentially weighted mean over time, column by column.

    It starts at `start`, or at the first row.
    """
    if not len(series):
        return series.copy()
    share = 1.0 - math.exp(-STEP_H / over_h)
    found = np.empty_like(series)
    state = series[0].copy() if start is None else start
    for step in range(len(series)):
        state = state + share * (series[step] - state)
        found[step] = state
    return found


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
