"""Add in a fixed order, without BLAS, so that the bits of a row depend on that row alone."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

# From so many sums on, a loop over columns is quicker than all products at once; the bits are the same.
_MANY = 4_000


def product(rows: Floats, weights: Floats) -> Floats:
    """Return `rows @ weights`, added column after column of `rows`."""
    found = np.zeros((len(rows), weights.shape[1]))
    if found.size > _MANY:
        for place in range(weights.shape[0]):
            found += rows[:, place, None] * weights[place]
    elif weights.size:
        for place, row in enumerate(rows):
            found[place] = np.add.accumulate(row[:, None] * weights, axis=0)[-1]
    return found


def total(parts: Floats) -> Floats:
    """Return the sum over the last axis, added in its order."""
    if not parts.shape[-1]:
        return np.zeros(parts.shape[:-1])
    found: Floats = np.add.accumulate(parts, axis=-1)[..., -1]
    return found
