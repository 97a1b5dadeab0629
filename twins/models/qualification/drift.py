"""Notice that inputs or outcomes are not as they were, with a false-alarm rate that is stated."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twins.models.qualification import proportions

Values = NDArray[np.float64]
SEED = 22
SHUFFLES = 1999
_BINS = 5
LEAST_BATCHES = _BINS
_FLOOR = 0.5  # a bin without a batch counts as half of one: PSI stays finite


class TooFewBatches(ValueError):
    """A distribution needs some batches before it can be compared."""

    code = "too-few-batches"


@dataclass(frozen=True)
class InputDrift:
    """Both distances of one input, and how likely larger ones are when nothing has changed."""

    name: str
    psi: float
    ks: float
    chance_psi: float
    chance_ks: float
    is_drift: bool


@dataclass(frozen=True)
class OutcomeDrift:
    """How many batches went wrong, against the share that the contract allows."""

    name: str
    count: int
    of: int
    contract: float
    chance: float
    is_drift: bool


def of_inputs(
    reference: Mapping[str, Sequence[float]], window: Mapping[str, Sequence[float]], *, alpha: float
) -> tuple[InputDrift, ...]:
    """Compare each input of the window with the training data, one value a batch.

    PSI and Kolmogorov-Smirnov are both judged by shuffling batches between the two, which is exact
    for any number of batches; `alpha` is the chance of any false alarm in one look at all inputs
    (Bonferroni over inputs and both distances). Batches are the unit: the samples within one are
    not independent.
    """
    names = sorted(reference.keys() & window.keys())
    each = alpha / (2 * max(len(names), 1))
    return tuple(_input(name, reference[name], window[name], each) for name in names)


def of_outcome(name: str, *, count: int, of: int, contract: float, alpha: float) -> OutcomeDrift:
    """Compare a count of wrong outcomes with the share of the contract; exact binomial tail."""
    chance = proportions.at_least(count, of, contract) if of else 1.0
    return OutcomeDrift(name, count, of, contract, chance, chance <= alpha)


def _input(
    name: str, reference: Sequence[float], window: Sequence[float], each: float
) -> InputDrift:
    first = np.asarray(reference, dtype=np.float64)
    second = np.asarray(window, dtype=np.float64)
    if min(len(first), len(second)) < LEAST_BATCHES:
        raise TooFewBatches(f"{name}: a comparison takes {LEAST_BATCHES} batches on both sides")
    pooled = np.concatenate([first, second])
    # The edges are those of all batches together, so that shuffling does not move them.
    edges = np.quantile(pooled, np.linspace(0.0, 1.0, _BINS + 1)[1:-1])
    binned = np.searchsorted(edges, pooled, side="right")
    ranks = np.searchsorted(np.unique(pooled), pooled)
    generator = np.random.default_rng(SEED)
    # As many as it takes for the smallest chance to be below the level of one comparison.
    shuffles = max(SHUFFLES, math.ceil(1.0 / each))
    shuffled = np.argsort(generator.random((shuffles, len(pooled))), axis=1, kind="stable")
    orders = np.vstack([np.arange(len(pooled))[None, :], shuffled])
    psi = _psi(binned[orders], len(first))
    ks = _ks(ranks[orders], len(first))
    chance_psi = _chance(psi)
    chance_ks = _chance(ks)
    is_drift = chance_psi <= each or chance_ks <= each
    return InputDrift(name, float(psi[0]), float(ks[0]), chance_psi, chance_ks, is_drift)


def _chance(found: Values) -> float:
    """Return the share of orders whose distance is not smaller than the first one's."""
    return float(np.count_nonzero(found >= found[0] - 1e-12) / len(found))


def _psi(binned: NDArray[Any], first: int) -> Values:
    total = np.zeros(len(binned))
    rest = binned.shape[1] - first
    for one in range(_BINS):
        inside = binned == one
        if not inside[0].any():
            continue  # as empty before as after
        expected = np.maximum(inside[:, :first].sum(axis=1), _FLOOR) / first
        actual = np.maximum(inside[:, first:].sum(axis=1), _FLOOR) / rest
        total += (actual - expected) * np.log(actual / expected)
    return total


def _ks(ranks: NDArray[Any], first: int) -> Values:
    largest = np.zeros(len(ranks))
    rest = ranks.shape[1] - first
    for one in range(int(ranks.max()) + 1):
        below = ranks <= one
        distance = below[:, :first].sum(axis=1) / first - below[:, first:].sum(axis=1) / rest
        largest = np.maximum(largest, np.abs(distance))
    return largest
