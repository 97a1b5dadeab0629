"""Planes of latent variables, with T2 and SPE that fall apart into the columns they come from.

T2 of a row x with scores t and their variances l is sum t_a^2 / l_a. With t_a = sum x_j w_ja it is
the sum over columns of x_j (sum t_a w_ja / l_a): the contributions of Kourti and MacGregor (1996),
with their signs. SPE is the sum of the squared residuals of the columns. Both statistics are
*computed* as these sums, so the parts add up to the bit, in the order of the columns.
"""

from dataclasses import dataclass

import numpy as np

from twins.models.process_monitoring import summing
from twins.models.process_monitoring.summing import Floats


@dataclass(frozen=True)
class Plane:
    """Scores are rows times weights; what they explain is scores times loadings."""

    weights: Floats
    loadings: Floats
    spread: Floats


def broken_stick(shares: Floats) -> int:
    """Return how many components explain more than pieces of a stick broken at random would.

    Jackson, Ecology 74:2204 (1993). Never less than two, nor more than there are.
    """
    count = len(shares)
    pieces = np.array(
        [np.sum(1.0 / np.arange(one, count + 1)) / count for one in range(1, count + 1)]
    )
    above = shares > pieces
    found = int(np.argmin(above)) if not above.all() else count
    return min(max(found, 2), count)


def principal(x: Floats, *, count: int | None = None) -> Plane:
    """Return the principal plane of centred rows; without a count by the broken stick."""
    _, singular, right = np.linalg.svd(x, full_matrices=False)
    variances = singular**2 / max(len(x) - 1, 1)
    known = variances > 1e-10 * max(float(variances.max()), 1e-300)
    variances, right = variances[known], right[known]
    if not len(variances):
        return Plane(np.zeros((x.shape[1], 0)), np.zeros((x.shape[1], 0)), np.zeros(0))
    taken = broken_stick(variances / variances.sum()) if count is None else count
    taken = min(taken, len(variances))
    weights = _pointed(right[:taken].T)
    return Plane(weights, weights, variances[:taken])


def towards(x: Floats, y: Floats, *, count: int) -> tuple[Plane, Floats]:
    """Return the plane of partial least squares of centred rows on a centred quality, and its slopes.

    PLS1 (Wold 1983): weights are those of the undeflated rows, so that scores are x @ weights.
    """
    rest, aim = x.copy(), y.copy()
    weights, loadings, slopes = [], [], []
    for _ in range(count):
        direction = rest.T @ aim
        length = float(np.sqrt(np.sum(direction**2)))
        if length < 1e-12:
            break
        direction = direction / length
        scores = rest @ direction
        size = float(np.sum(scores**2))
        if size < 1e-12:
            break
        loading = rest.T @ scores / size
        slope = float(aim @ scores) / size
        rest = rest - np.outer(scores, loading)
        aim = aim - slope * scores
        weights.append(direction)
        loadings.append(loading)
        slopes.append(slope)
    w, p = np.array(weights).T, np.array(loadings).T
    turned = w @ np.linalg.inv(p.T @ w)
    scores_of_all = x @ turned
    spread = np.sum(scores_of_all**2, axis=0) / max(len(x) - 1, 1)
    return Plane(turned, p, spread), np.array(slopes)


def _pointed(weights: Floats) -> Floats:
    """Return the columns with their largest element positive: a sign is no result."""
    largest = np.argmax(np.abs(weights), axis=0)
    signs = np.sign(weights[largest, np.arange(weights.shape[1])])
    pointed: Floats = weights * np.where(signs == 0.0, 1.0, signs)
    return pointed


def scores(x: Floats, plane: Plane) -> Floats:
    """Return the scores of rows."""
    return summing.product(x, plane.weights)


def t2_parts(x: Floats, plane: Plane) -> Floats:
    """Return what each column gives to T2; a column pulls it down where its part is negative."""
    found: Floats = x * summing.product(scores(x, plane) / plane.spread, plane.weights.T)
    return found


def spe_parts(x: Floats, plane: Plane) -> Floats:
    """Return what each column gives to the squared prediction error."""
    found: Floats = (x - summing.product(scores(x, plane), plane.loadings.T)) ** 2
    return found
