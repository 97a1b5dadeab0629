"""Limits from normal data that the model had not seen, at a stated rate of false alarms."""

import itertools
import math
from dataclasses import dataclass

import numpy as np

from twins.models.process_monitoring.summing import Bools, Floats, Ints

# With fewer, neither a plane nor a spread is known.
LEAST = 10


class TooFewToPromise(ValueError):
    """There is too little normal data to promise so few false alarms."""

    code = "process-reference-too-small"


@dataclass(frozen=True)
class Limits:
    """A limit for each statistic; together they are exceeded at the stated rate."""

    names: tuple[str, ...]
    values: Floats
    false_alarm_rate: float


def folds_of(count: int, folds: int) -> list[Bools]:
    """Return which batches are left out in each fold: every n-th batch, from another first one."""
    return [np.arange(count) % folds == one for one in range(folds)]


def blocks_of(count: int, blocks: int) -> list[Ints]:
    """Return contiguous stretches of samples, for data in which neighbours are alike."""
    edges = [count * one // blocks for one in range(blocks + 1)]
    return [np.arange(low, high, dtype=np.int64) for low, high in itertools.pairwise(edges)]


def conformal(values: Floats, *, rate: float) -> float:
    """Return the value that a further, exchangeable one exceeds with at most this probability.

    Vovk, Gammerman and Shafer (2005). Raise `TooFewToPromise` when no value of the sample is rare
    enough: 1 in N needs N - 1 of them.
    """
    demand(len(values), rate=rate)
    rank = math.ceil((len(values) + 1) * (1.0 - rate) - 1e-9)
    return float(np.sort(values)[rank - 1])


def demand(count: int, *, rate: float, least: int = LEAST) -> None:
    """Raise `TooFewToPromise` when no limit from so many normal ones can hold the rate."""
    needed = max(math.ceil(1.0 / rate - 1e-9) - 1, least)
    if count < needed:
        raise TooFewToPromise(
            f"{count} normal ones cannot promise a false-alarm rate of {rate:g}: "
            f"{needed} are needed"
        )


def together(names: tuple[str, ...], left_out: Floats, *, rate: float) -> Limits:
    """Return limits of statistics (columns) of left-out normal ones (rows).

    Each statistic is measured in units of what is as rare in it as in the others; the largest of
    them is exceeded at the rate. Raise `TooFewToPromise`.
    """
    usual = np.maximum(np.quantile(left_out, 1.0 - rate / left_out.shape[1], axis=0), 1e-12)
    worst = (left_out / usual).max(axis=1)
    return Limits(names, usual * conformal(worst, rate=rate), rate)


def least_of_last(values: Floats, *, count: int) -> Floats:
    """Return what held for the last samples: a single odd one is no alarm."""
    found = values.copy()
    for back in range(1, count):
        found[back:] = np.minimum(found[back:], values[:-back])
    found[: count - 1] = 0.0
    return found
