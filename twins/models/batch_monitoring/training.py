"""Fit the channels and their scales to normal batches; score batches with what was fitted."""

import numpy as np

from twins.models.batch_monitoring import channels, combination, residuals
from twins.models.batch_monitoring.channels import Fitted
from twins.models.batch_monitoring.combination import Scales
from twins.models.batch_monitoring.design import INDEX, NAMES, Design, design_of, profile_of
from twins.models.batch_monitoring.samples import Floats, Grid
from twins.models.batch_monitoring.signals import LABORATORY_NAMES


def fit_channels(grids: list[Grid]) -> tuple[Fitted, list[Design]]:
    """Fit profile and relations to these batches."""
    profile, last_slot = profile_of(grids)
    designs = [design_of(grid, profile) for grid in grids]
    width = len(NAMES)
    gram = np.zeros((residuals.PHASES, width, width))
    counts = np.zeros(residuals.PHASES)
    for design in designs:
        for phase in range(residuals.PHASES):
            part = design.columns[design.phase == phase]
            if len(part):
                gram[phase] += part.T @ part
                counts[phase] += len(part)
    relation = {one.name: residuals.fit(one, gram, counts) for one in channels.RELATIONS}
    limits = np.column_stack([np.full(len(INDEX), -np.inf), np.full(len(INDEX), np.inf)])
    aims = np.zeros(len(INDEX))
    for name in ("pH", "T"):
        values = np.concatenate([one.transformed[:, INDEX[name]] for one in designs])
        aims[INDEX[name]] = float(np.nanmedian(values))
    for name in (*residuals.LOOPS, "Fa"):
        at = INDEX[name]
        values = np.concatenate([one.transformed[:, at] for one in designs])
        limits[at] = (0.0, np.nanquantile(values, 0.9995))
    laboratory = {name: _fit_laboratory(name, grids, designs) for name in LABORATORY_NAMES}
    return Fitted(profile, last_slot, aims, relation, limits, laboratory), designs


def _fit_laboratory(name: str, grids: list[Grid], designs: list[Design]) -> Floats:
    place = LABORATORY_NAMES.index(name)
    rows, targets, phase = [], [], []
    for grid, design in zip(grids, designs, strict=True):
        at = np.flatnonzero(grid.laboratory_fresh[:, place])
        for before, step in zip(at[:-1].tolist(), at[1:].tolist(), strict=True):
            rows.append(channels.laboratory_row(design, step, before))
            targets.append(channels.row_target(design, name, step))
            phase.append(int(design.phase[step]))
    x, y, p = np.array(rows), np.array(targets), np.array(phase)
    found = np.zeros((residuals.PHASES, channels.LAB_ROW))
    for one in range(residuals.PHASES):
        # Neighbouring phases help where results are few.
        near = np.abs(p - one) <= 1
        if near.sum() < 40:
            continue
        part, goal = x[near], y[near]
        scale = np.sqrt((part**2).mean(axis=0))
        used = scale > 1e-9
        part = part[:, used] / scale[used]
        solved = np.linalg.solve(
            part.T @ part / len(part) + 3e-2 * np.eye(part.shape[1]), part.T @ goal / len(part)
        )
        found[one, used] = solved / scale[used]
    return found


def folds_of(count: int, folds: int) -> list[np.ndarray]:
    """Return which batches are left out in each fold: every n-th batch, from another first one."""
    return [np.arange(count) % folds == one for one in range(folds)]


def cross_fitted(grids: list[Grid], folds: int) -> list[Floats]:
    """Return the channels of each batch by models that had not seen it."""
    found: list[Floats] = [np.zeros((0, 0))] * len(grids)
    for left_out in folds_of(len(grids), folds):
        fitted, _ = fit_channels([g for g, out in zip(grids, left_out, strict=True) if not out])
        for place in np.flatnonzero(left_out).tolist():
            found[place] = channels_of(grids[place], fitted)
    return found


def channels_of(grid: Grid, fitted: Fitted) -> Floats:
    """Return the channels of a batch."""
    return channels.signed(grid, design_of(grid, fitted.profile), fitted)


def scores_of(grid: Grid, signed: Floats, scales: Scales, weight: Floats) -> Floats:
    """Return the score of a batch, step by step."""
    return combination.score(combination.rarity(grid.time_h, signed, scales), weight)
