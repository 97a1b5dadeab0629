"""What earlier results alone say of the next one: the trivial predictors, and inputs of a model.

The result of a batch is known only `known_after` batches later.
"""

import numpy as np

from twins.models.process_monitoring.summing import Floats

RECENT = 10
# The mean of a group counts as if so many results of the overall mean were among its own.
_PRIOR = 2.0

LAST = "last"
TRIVIAL = (
    "mean so far",
    "last",
    "last 10",
    "mean of product",
    "last of product",
    "last 10 of product",
)


def trivial(
    target: Floats, group: tuple[str, ...] | None, *, known_after: int
) -> dict[str, Floats]:
    """Return what each trivial predictor says for every row, from known results only.

    NaN where nothing is known yet. Without groups, those of the product are left out.
    """
    count = len(target)
    names = TRIVIAL if group else TRIVIAL[:3]
    found = {name: np.full(count, np.nan) for name in names}
    everything: list[float] = []
    by_group: dict[str, list[float]] = {}
    for row in range(count):
        newest = row - known_after
        if newest >= 0 and np.isfinite(target[newest]):
            value = float(target[newest])
            everything.append(value)
            if group:
                by_group.setdefault(group[newest], []).append(value)
        if not everything:
            continue
        mean = _mean(everything)
        found["mean so far"][row] = mean
        found["last"][row] = everything[-1]
        found["last 10"][row] = _mean(everything[-RECENT:])
        if group:
            own = by_group.get(group[row], [])
            found["mean of product"][row] = _shrunk(own, mean)
            found["last of product"][row] = own[-1] if own else mean
            found["last 10 of product"][row] = _shrunk(own[-RECENT:], mean)
    return found


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def _shrunk(values: list[float], towards: float) -> float:
    return (sum(values) + _PRIOR * towards) / (len(values) + _PRIOR)
