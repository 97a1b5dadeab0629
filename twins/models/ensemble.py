"""Reduce an ensemble over its members in an order that is fixed by construction."""

from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def total(values: FloatArray) -> FloatArray:
    """Sum over the last axis by halving; NumPy's own order depends on layout and length."""
    while values.shape[-1] > 1:
        half = values.shape[-1] // 2
        paired = values[..., :half] + values[..., half : 2 * half]
        odd = values.shape[-1] % 2 == 1
        values = np.concatenate([paired, values[..., -1:]], axis=-1) if odd else paired
    summed: FloatArray = values[..., 0]
    return summed


def mean(values: FloatArray) -> FloatArray:
    """Return the mean over the members."""
    found: FloatArray = total(values) / values.shape[-1]
    return found


def spread(values: FloatArray) -> FloatArray:
    """Return the standard deviation over the members (divisor: members - 1)."""
    anomalies = values - mean(values)[..., np.newaxis]
    found: FloatArray = np.sqrt(total(anomalies * anomalies) / (values.shape[-1] - 1))
    return found


def quantile(values: FloatArray, share: float) -> FloatArray:
    """Return the quantile over the last axis, linear between the order statistics."""
    ordered = np.sort(values, axis=-1)
    position = share * (values.shape[-1] - 1)
    below = int(position)
    above = min(below + 1, values.shape[-1] - 1)
    weight = position - below
    found: FloatArray = ordered[..., below] * (1.0 - weight) + ordered[..., above] * weight
    return found


def standard_normals(*, seed: int, stream: tuple[int, ...], shape: tuple[int, int]) -> FloatArray:
    """Draw centred normals, cut at three, from the stream that (seed, stream) names.

    Every use has its own stream, so that no draw depends on how many were made before it.
    """
    generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, *stream])))
    drawn = np.clip(generator.standard_normal(shape), -3.0, 3.0)
    return drawn - mean(drawn)[:, np.newaxis]


def even_normals(*, seed: int, stream: tuple[int, ...], shape: tuple[int, int]) -> FloatArray:
    """Give every row the same normals, evenly spread, in the order in which the stream draws them.

    So few members as an ensemble has would else make an interval too narrow or too wide by chance.
    """
    order = np.argsort(
        standard_normals(seed=seed, stream=stream, shape=shape), axis=-1, kind="stable"
    )
    count = shape[-1]
    even = np.array([NormalDist().inv_cdf((place + 0.5) / count) for place in range(count)])
    found = np.empty(shape)
    np.put_along_axis(found, order, np.broadcast_to(even, shape), axis=-1)
    return found
