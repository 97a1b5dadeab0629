"""Foresee a quality from columns of the process: ridge regression, judged in the order of time.

For an event (0 or 1) the same regression gives a probability, cut to [0, 1]. Skill is one minus the
ratio of squared errors to those of the best trivial predictor; for an event that is the Brier skill.
"""

from dataclasses import dataclass

import numpy as np

from twins.models.process_monitoring import encoding, history, summing
from twins.models.process_monitoring.encoding import Columns, Encoder
from twins.models.process_monitoring.summing import Floats, Ints

PENALTIES = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
_HELD_BACK = 0.25
COVERAGE = 0.9
_LEAST_SCORES, NEWEST_SCORES = 30, 200
# How fast the level of the intervals follows what they missed (Gibbs and Candes 2021).
_ADAPTING = 0.02


@dataclass(frozen=True)
class Task:
    """What is to be foreseen, in the order of time; NaN where the result is not known."""

    columns: Columns
    target: Floats
    is_event: bool
    group: tuple[str, ...] | None = None
    known_after: int = 1
    with_history: bool = True


@dataclass(frozen=True)
class Regression:
    """A fitted regression: a prediction is the constant plus the parts of the encoded columns."""

    encoder: Encoder
    constant: float
    weights: Floats
    penalty: float


def inputs_of(task: Task) -> Columns:
    """Return the columns with the product as a text, and what earlier results say."""
    numbers, texts = dict(task.columns.numbers), dict(task.columns.texts)
    if task.group is not None:
        texts["product"] = task.group
    if task.with_history:
        numbers |= history.trivial(task.target, task.group, known_after=task.known_after)
    return Columns(numbers, texts, task.columns.count)


def fit(inputs: Columns, target: Floats) -> Regression:
    """Fit to these rows; the penalty is that which foresaw their newest quarter best."""
    cut = int(len(target) * (1.0 - _HELD_BACK))
    early = np.arange(cut, dtype=np.int64)
    late = np.arange(cut, len(target), dtype=np.int64)
    errors = []
    for one in _fits(inputs.taken(early), target[early]):
        said = foreseen(inputs.taken(late), one)
        errors.append(float(np.mean((said - target[late]) ** 2)))
    return _fits(inputs, target)[int(np.argmin(errors))]


def _fits(inputs: Columns, target: Floats) -> list[Regression]:
    encoder = encoding.encoder_of(inputs)
    x = encoding.encoded(inputs, encoder)
    centre = x.mean(axis=0)
    constant = float(target.mean())
    left, singular, right = np.linalg.svd(x - centre, full_matrices=False)
    along = left.T @ (target - constant)
    found = []
    for penalty in PENALTIES:
        shrunk = singular / (singular**2 + penalty * len(target))
        weights = right.T @ (shrunk * along)
        found.append(Regression(encoder, constant - float(centre @ weights), weights, penalty))
    return found


def parts(inputs: Columns, regression: Regression) -> Floats:
    """Return what each encoded column adds to the constant, one row a row."""
    found: Floats = encoding.encoded(inputs, regression.encoder) * regression.weights
    return found


def foreseen(inputs: Columns, regression: Regression) -> Floats:
    """Return the prediction for each row: the constant and the parts, added in their order."""
    found: Floats = regression.constant + summing.total(parts(inputs, regression))
    return found


@dataclass(frozen=True)
class Forward:
    """What was foreseen of each row by a model that knew only the past, and what came."""

    rows: Ints
    actual: Floats
    said: Floats
    trivial: dict[str, Floats]
    low: Floats
    high: Floats


def forward(task: Task, *, first: int, step: int) -> Forward:
    """Train on the past and judge on the future, again and again (expanding window)."""
    inputs = inputs_of(task)
    said = np.full(len(task.target), np.nan)
    for start in range(first, len(task.target), step):
        past = _known(task.target[: start - task.known_after + 1])
        rows = np.arange(start, min(start + step, len(task.target)), dtype=np.int64)
        regression = fit(inputs.taken(past), task.target[past])
        said[rows] = _cut(foreseen(inputs.taken(rows), regression), task)
    rows = np.flatnonzero(np.isfinite(said) & np.isfinite(task.target)).astype(np.int64)
    plain = history.trivial(task.target, task.group, known_after=task.known_after)
    trivial = {name: one[rows] for name, one in plain.items()}
    return _bounded(rows, task.target[rows], said[rows], trivial, task.known_after)


def _bounded(
    rows: Ints, actual: Floats, said: Floats, trivial: dict[str, Floats], known_after: int
) -> Forward:
    low, high = intervals(np.abs(actual - said), said, known_after=known_after)
    return Forward(rows, actual, said, trivial, low, high)


def shuffled(task: Task, *, folds: int, seed: int) -> Forward:
    """Judge by random folds, as is often done: what that flatters is the difference to `forward`."""
    known = _known(task.target)
    order = np.random.default_rng(seed).permutation(len(known))
    inputs = inputs_of(task)
    said = np.full(len(task.target), np.nan)
    mean = np.full(len(task.target), np.nan)
    for fold in range(folds):
        is_out = np.zeros(len(known), dtype=np.bool_)
        is_out[order[np.arange(len(known)) % folds == fold]] = True
        inside, out = known[~is_out], known[is_out]
        regression = fit(inputs.taken(inside), task.target[inside])
        said[out] = _cut(foreseen(inputs.taken(out), regression), task)
        mean[out] = task.target[inside].mean()
    nothing = np.full(len(known), np.nan)
    return Forward(known, task.target[known], said[known], {"mean": mean[known]}, nothing, nothing)


def _known(target: Floats) -> Ints:
    return np.flatnonzero(np.isfinite(target)).astype(np.int64)


def _cut(values: Floats, task: Task) -> Floats:
    return np.clip(values, 0.0, 1.0) if task.is_event else values


def intervals(scores: Floats, said: Floats, *, known_after: int) -> tuple[Floats, Floats]:
    """Return conformal bounds of each prediction from the errors of those whose result was known.

    The level follows misses and hits, so that coverage holds while the process drifts: adaptive
    conformal inference, Gibbs and Candes, NeurIPS 2021.
    """
    wide = np.full(len(said), np.nan)
    miss = 1.0 - COVERAGE
    for place in range(len(said)):
        before = place - known_after
        if before >= 0 and np.isfinite(wide[before]):
            missed = float(scores[before] > wide[before])
            miss = float(np.clip(miss + _ADAPTING * (1.0 - COVERAGE - missed), 0.0, 0.5))
        known = scores[max(0, before + 1 - NEWEST_SCORES) : max(0, before + 1)]
        if len(known) >= _LEAST_SCORES:
            wide[place] = width(known, miss=miss)
    return said - wide, said + wide


def width(scores: Floats, *, miss: float = 1.0 - COVERAGE) -> float:
    """Return the half-width that a further error exceeds with this probability."""
    rank = min(int(np.ceil((len(scores) + 1) * (1.0 - miss) - 1e-9)), len(scores))
    return float(np.sort(scores)[rank - 1])
