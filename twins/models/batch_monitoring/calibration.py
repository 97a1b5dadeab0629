"""Turn a batch's score into probabilities: logistic on a few features, then isotonic."""

from dataclasses import dataclass

import numpy as np

from twins.models.batch_monitoring.samples import Floats

_ROUNDS = 40


@dataclass(frozen=True)
class Calibrator:
    """Coefficients on features, and the steps of the isotonic curve."""

    weights: Floats
    knots: Floats
    values: Floats


def fit_logistic(x: Floats, y: Floats, weight: Floats, *, shrink: float) -> Floats:
    """Return ridge-logistic coefficients by Newton's method; the last column is the constant."""
    found = np.zeros(x.shape[1])
    penalty = shrink * np.eye(x.shape[1])
    penalty[-1, -1] = 0.0
    for _ in range(_ROUNDS):
        p = _sigmoid(x @ found)
        slope = x.T @ (weight * (y - p)) / weight.sum() - penalty @ found
        bend = (x * (weight * p * (1.0 - p))[:, None]).T @ x / weight.sum() + penalty
        step = np.linalg.solve(bend + 1e-9 * np.eye(len(found)), slope)
        found = found + np.clip(step, -2.0, 2.0)
        if np.abs(step).max() < 1e-9:
            break
    return found


def fit_isotonic(
    raw: Floats, y: Floats, weight: Floats, *, blocks: int = 60
) -> tuple[Floats, Floats]:
    """Return knots and values of the rising curve nearest to the outcomes (pool adjacent)."""
    order = np.argsort(raw, kind="stable")
    raw, y, weight = raw[order], y[order], weight[order]
    edges = np.searchsorted(np.cumsum(weight), np.linspace(0, weight.sum(), blocks + 1)[1:-1])
    pools: list[list[float]] = []
    for part in np.split(np.arange(len(raw)), np.unique(edges)):
        if not len(part):
            continue
        w = float(weight[part].sum())
        pools.append(
            [float((weight[part] * y[part]).sum()), w, float((weight[part] * raw[part]).sum())]
        )
        while len(pools) > 1 and pools[-2][0] / pools[-2][1] >= pools[-1][0] / pools[-1][1]:
            last = pools.pop()
            pools[-1] = [a + b for a, b in zip(pools[-1], last, strict=True)]
    knots = np.array([one[2] / one[1] for one in pools])
    values = np.array([one[0] / one[1] for one in pools])
    return knots, values


def probability(calibrator: Calibrator, x: Floats) -> Floats:
    """Return the probability at each step."""
    raw = raw_of(calibrator.weights, x)
    found = np.interp(raw, calibrator.knots, calibrator.values)
    return np.clip(found, 0.001, 0.999)


def raw_of(weights: Floats, x: Floats) -> Floats:
    """Return the uncalibrated probability, added column after column."""
    total = np.zeros(len(x))
    for place in range(x.shape[1]):
        total = total + weights[place] * x[:, place]
    return _sigmoid(total)


def _sigmoid(value: Floats) -> Floats:
    return 1.0 / (1.0 + np.exp(-np.clip(value, -30.0, 30.0)))


def expected_calibration_error(p: Floats, y: Floats, weight: Floats, *, bins: int = 10) -> float:
    """Return the weighted mean distance of stated and observed share over equal-width bins."""
    place = np.minimum((p * bins).astype(np.int64), bins - 1)
    total = 0.0
    for one in range(bins):
        here = place == one
        if here.any():
            w = weight[here]
            stated = float((w * p[here]).sum() / w.sum())
            seen = float((w * y[here]).sum() / w.sum())
            total += float(w.sum()) * abs(stated - seen)
    return total / float(weight.sum())
