"""Turn columns of a process, numbers and texts with holes, into rows of numbers of one scale."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from twins.models.process_monitoring.summing import Floats, Ints

# A text that was seen less often is no level of its own.
_LEAST_SEEN = 5
# Beyond so many spreads a value counts as that many: nothing is known there.
_CLIPPED_AT = 4.0
UNKNOWN = ""


@dataclass(frozen=True)
class Columns:
    """Columns of equal length: numbers with NaN, texts with the empty one where nothing is known."""

    numbers: Mapping[str, Floats]
    texts: Mapping[str, tuple[str, ...]]
    count: int

    def taken(self, rows: Ints) -> "Columns":
        """Return these rows."""
        return Columns(
            {name: one[rows] for name, one in self.numbers.items()},
            {name: tuple(one[row] for row in rows.tolist()) for name, one in self.texts.items()},
            len(rows),
        )


@dataclass(frozen=True)
class Encoder:
    """Scales and levels of the past; `names` are those of the encoded columns.

    A number may have a second column that says it is missing; a text has one for each level.
    """

    numbers: tuple[str, ...]
    centre: Floats
    size: Floats
    low: Floats
    high: Floats
    holed: tuple[str, ...]
    levels: Mapping[str, tuple[str, ...]]

    @property
    def names(self) -> tuple[str, ...]:
        """Return the source column of each encoded column."""
        texts = tuple(name for name, levels in self.levels.items() for _ in levels)
        return (*self.numbers, *self.holed, *texts)


def encoder_of(columns: Columns) -> Encoder:
    """Learn scales and levels; columns without any spread are left out."""
    used, centre, size, low, high, holed = [], [], [], [], [], []
    for name, values in columns.numbers.items():
        told = values[np.isfinite(values)]
        if len(told) < _LEAST_SEEN or float(told.std()) < 1e-12 * max(
            1.0, float(np.abs(told).max())
        ):
            continue
        used.append(name)
        centre.append(float(told.mean()))
        size.append(float(told.std()))
        low.append(float(told.min()))
        high.append(float(told.max()))
        if len(told) < len(values):
            holed.append(name)
    levels = {}
    for name, texts in columns.texts.items():
        seen, counts = np.unique(np.array(texts, dtype=np.str_), return_counts=True)
        kept = tuple(seen[counts >= _LEAST_SEEN].tolist())
        if len(kept) > 1 or (kept and len(seen) > 1):
            levels[name] = kept
    return Encoder(
        numbers=tuple(used),
        centre=np.array(centre, dtype=np.float64),
        size=np.array(size, dtype=np.float64),
        low=np.array(low, dtype=np.float64),
        high=np.array(high, dtype=np.float64),
        holed=tuple(holed),
        levels=levels,
    )


def encoded(columns: Columns, encoder: Encoder) -> Floats:
    """Return the rows; what is not known stands at the mean of the past."""
    found = []
    for place, name in enumerate(encoder.numbers):
        z = (columns.numbers[name] - encoder.centre[place]) / encoder.size[place]
        found.append(np.clip(np.nan_to_num(z), -_CLIPPED_AT, _CLIPPED_AT))
    found += [np.isnan(columns.numbers[name]).astype(np.float64) for name in encoder.holed]
    for name, levels in encoder.levels.items():
        texts = np.array(columns.texts[name], dtype=np.str_)
        found += [(texts == level).astype(np.float64) for level in levels]
    return np.column_stack(found) if found else np.zeros((columns.count, 0))


def outside(columns: Columns, encoder: Encoder) -> list[str]:
    """Say for each row why it is unlike the past; empty where it is not."""
    reasons = [""] * columns.count
    for place, name in enumerate(encoder.numbers):
        reach = encoder.high[place] - encoder.low[place]
        values = columns.numbers[name]
        far = (values < encoder.low[place] - reach) | (values > encoder.high[place] + reach)
        for row in np.flatnonzero(far).tolist():
            reasons[row] = reasons[row] or (
                f"{name} is {values[row]:.4g}, far from {encoder.low[place]:.4g} to "
                f"{encoder.high[place]:.4g} of the past"
            )
    for name, levels in encoder.levels.items():
        for row, text in enumerate(columns.texts[name]):
            if text != UNKNOWN and text not in levels:
                reasons[row] = reasons[row] or f"{name} {text} is new, or was seen too seldom"
    if encoder.numbers:
        holes = np.array([np.isnan(columns.numbers[name]) for name in encoder.numbers])
        for row in np.flatnonzero(holes.mean(axis=0) > 0.25).tolist():
            reasons[row] = reasons[row] or "more than a quarter of the inputs is missing"
    return reasons
