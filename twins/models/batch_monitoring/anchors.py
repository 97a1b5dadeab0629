"""Simple detectors of the literature, to be measured beside the twin: each one score a step."""

import numpy as np

from twins.models.batch_monitoring import combination, windows
from twins.models.batch_monitoring.channels import CHANNELS
from twins.models.batch_monitoring.combination import Scales
from twins.models.batch_monitoring.design import INDEX, SIGNALS, design_of
from twins.models.batch_monitoring.samples import Floats, Grid
from twins.models.batch_monitoring.signals import LABORATORY_NAMES, ONLINE_NAMES
from twins.models.penicillin_fed_batch import following, measuring

_COMPONENTS = 8
_LAGS = (0, 5, 15)


def golden_envelope(normals: list[Grid], others: list[Grid], profile: Floats) -> list[Floats]:
    """Return how far outside the range of normal batches at the same age the worst signal is."""
    count = 1400
    low = np.full((count, len(ONLINE_NAMES)), np.inf)
    high = np.full((count, len(ONLINE_NAMES)), -np.inf)
    for grid in normals:
        design = design_of(grid, profile)
        x = design.signals[:, : len(ONLINE_NAMES)]
        np.minimum.at(low, design.slot, x)
        np.maximum.at(high, design.slot, x)
    width = np.where(np.isfinite(high - low), high - low, np.nan)
    width = np.maximum(np.nan_to_num(width, nan=np.inf), 1e-6)
    found = []
    for grid in others:
        design = design_of(grid, profile)
        x = design.signals[:, : len(ONLINE_NAMES)]
        with np.errstate(invalid="ignore"):  # at ages that no normal batch reached
            over = np.maximum(x - high[design.slot], low[design.slot] - x) / width[design.slot]
        found.append(np.nan_to_num(over, posinf=0.0, neginf=0.0).max(axis=1))
    return found


def _unfolded(grid: Grid, profile: Floats) -> tuple[Floats, np.ndarray]:
    design = design_of(grid, profile)
    at = [INDEX[name] for name in SIGNALS if name not in LABORATORY_NAMES]
    smooth = windows.smoothed(design.signals[:, at], over_h=0.6)
    return np.column_stack([windows.delayed(smooth, steps=lag) for lag in _LAGS]), design.slot


def mpca(normals: list[Grid], others: list[Grid], profile: Floats) -> list[Floats]:
    """Return the larger of T2 and SPE of a PCA on signals with lags, each against its usual size."""
    parts = [_unfolded(grid, profile)[0] for grid in normals]
    ages = np.concatenate([combination.bins_of(grid.time_h) for grid in normals])
    x = np.concatenate(parts)
    scale = np.ones((combination.BINS, x.shape[1]))
    floor = 0.1 * x.std(axis=0) + 1e-9
    for place in range(combination.BINS):
        near = np.abs(ages - place) <= 1
        if near.sum() > 200:
            scale[place] = x[near].std(axis=0)
        elif place:
            scale[place] = scale[place - 1]
    scale = np.maximum(scale, floor)
    z = x / scale[ages]
    values, vectors = np.linalg.eigh(z.T @ z / len(z))
    loading, spread = vectors[:, -_COMPONENTS:], values[-_COMPONENTS:]

    def statistics(grid: Grid) -> Floats:
        rows, _ = _unfolded(grid, profile)
        rows = rows / scale[combination.bins_of(grid.time_h)]
        scores = rows @ loading
        t2 = (scores**2 / spread).sum(axis=1)
        spe = ((rows - scores @ loading.T) ** 2).sum(axis=1)
        return np.column_stack([t2, spe])

    known = [statistics(grid) for grid in normals]
    usual = np.quantile(np.array([one.max(axis=0) for one in known]), 0.95, axis=0)
    return [(statistics(grid) / usual).max(axis=1) for grid in others]


def arx_and_recipe(signed: list[Floats], times: list[Floats], scales: Scales) -> list[Floats]:
    """Return the largest one-step residual or recipe difference, in usual sizes."""
    at = [place for place, one in enumerate(CHANNELS) if one.kind in ("next-1", "recipe")]
    found = []
    for time_h, channels in zip(times, signed, strict=True):
        z = np.abs(combination.sized(time_h, channels, scales)) / scales.knee
        found.append(z[:, at].max(axis=1))
    return found


def filtered(grid: Grid) -> Floats:
    """Return the innovations of the mechanistic twin's filter in expected spreads, smoothed.

    On-line ones over 3 h, laboratory ones over two results or so. A batch must start at inoculation.
    """
    arrays = {name: grid.values[:, place] for place, name in enumerate(ONLINE_NAMES)}
    for output in measuring.ONLINE:
        fresh = grid.fresh[:, ONLINE_NAMES.index(output.tag)]
        arrays[output.tag] = np.where(fresh, arrays[output.tag], np.nan)
    for place, name in enumerate(LABORATORY_NAMES):
        arrays[name] = np.where(grid.laboratory_fresh[:, place], grid.laboratory[:, place], np.nan)
    found = following.features(arrays).normalised
    over_h = np.repeat([3.0, 8.0], [len(measuring.ONLINE), len(measuring.LABORATORY)])
    told = np.isfinite(found)
    return windows.smoothed(
        np.nan_to_num(found), over_h=over_h, start=np.zeros(found.shape[1]), told=told
    )


def filter_and_recipe(
    innovations: list[Floats], signed: list[Floats], times: list[Floats], scales: Scales
) -> list[Floats]:
    """Return the largest innovation or recipe difference, in usual sizes."""
    found = []
    for one, channels, time_h in zip(innovations, signed, times, strict=True):
        both = with_recipe(one, channels)
        z = np.abs(combination.sized(time_h, both, scales)) / scales.knee
        found.append(z.max(axis=1))
    return found


def with_recipe(innovations: Floats, signed: Floats) -> Floats:
    """Return the innovations beside the differences from the recipe."""
    at = [place for place, one in enumerate(CHANNELS) if one.kind == "recipe"]
    return np.column_stack([innovations, signed[:, at]])
