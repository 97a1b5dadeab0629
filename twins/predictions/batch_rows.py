"""Give the rows of one batch of a file as they are digested: what the twin reads, by name."""

import numpy as np

from twins.hub.batch_answers import COLUMNS
from twins.predictions.batch_files import Table

Rows = list[dict[str, float]]


def of(table: Table, at: np.ndarray) -> Rows:
    """Return rows of the time and the twin's signals; what was not measured is not there.

    Other columns of the file are left out, so that a copy with a column more is the same content.
    """
    columns = [table.columns[name][at].tolist() for name in COLUMNS]
    return [
        {name: value for name, value in zip(COLUMNS, row, strict=True) if value == value}  # noqa: PLR0124 -- NaN
        for row in zip(*columns, strict=True)
    ]
