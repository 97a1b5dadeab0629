"""A training batch with a few values altered is found by its means; another batch is not."""

import numpy as np

from tests.twins.models.batch_monitoring import campaign
from twins.models.qualification import contents, copies

Rows = list[dict[str, float]]


def _rows(seed: int) -> Rows:
    time_h, found = campaign.columns(seed, steps=200)
    return [
        {"time_h": float(time_h[at])}
        | {name: float(values[at]) for name, values in found.items() if np.isfinite(values[at])}
        for at in range(len(time_h))
    ]


KNOWN = [(f"T-{seed}", contents.means(_rows(seed))) for seed in range(12)]


def test_rounded_shortened_and_turned_copies_are_found() -> None:
    rows = _rows(3)
    rounded = [{name: float(f"{value:.4g}") for name, value in row.items()} for row in rows]
    noisy = [row | {"pH": row["pH"] + 1.0, "Fs": 2.0 * row["Fs"]} for row in rows]
    for copy in (rounded, noisy, rows[:-1], rows[::-1], [*rows[:50], *rows[51:]]):
        assert copies.nearest(contents.means(copy), KNOWN) == "T-3"


def test_other_batches_are_not_copies() -> None:
    assert [copies.nearest(contents.means(_rows(seed)), KNOWN) for seed in range(50, 80)] == (
        [None] * 30
    )


def test_with_too_few_batches_or_columns_nothing_is_told() -> None:
    means = contents.means(_rows(3))
    few = [(label, {"pH": found["pH"]}) for label, found in KNOWN]

    assert copies.nearest(means, KNOWN[:4]) is None
    assert copies.nearest(means, few) is None
