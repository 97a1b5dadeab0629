"""Tell a batch that is another one with a few values altered, by the means of its columns."""

import math
from collections.abc import Mapping, Sequence

# In standard deviations between the known batches. Of two batches that were really made, some
# column differs by far more: see docs/twins.md for what was measured.
NEAR = 0.1
LEAST_BATCHES = 5
LEAST_COLUMNS = 4

Means = Mapping[str, float]


def nearest(found: Means, known: Sequence[tuple[str, Means]]) -> str | None:
    """Return the known batch whose every mean agrees with those found, or None.

    Columns that do not vary between known batches tell nothing; with fewer than `LEAST_COLUMNS`
    others, or `LEAST_BATCHES` batches, nothing is told.
    """
    spread = _spreads(found, known)
    if len(known) < LEAST_BATCHES or len(spread) < LEAST_COLUMNS:
        return None
    for label, means in known:
        if distance(found, means, spread) <= NEAR:
            return label
    return None


def distance(one: Means, other: Means, spread: Means) -> float:
    """Return the largest difference over all columns, in standard deviations."""
    return max(
        abs(one[name] - other[name]) / sd if name in other else math.inf
        for name, sd in spread.items()
    )


def _spreads(found: Means, known: Sequence[tuple[str, Means]]) -> dict[str, float]:
    spread = {}
    for name in found:
        values = [means[name] for _, means in known if name in means]
        if len(values) < LEAST_BATCHES:
            continue
        middle = math.fsum(values) / len(values)
        sd = math.sqrt(math.fsum((one - middle) ** 2 for one in values) / (len(values) - 1))
        if sd > 1e-9 * max(abs(middle), 1e-9):
            spread[name] = sd
    return spread
