"""Read time series of batches from Parquet files whose columns and units are declared here.

A file without a declared mapping is not read: units are never guessed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np


class SeriesUnreadable(ValueError):
    """A column does not hold what its mapping says; names the row and the value."""


class ParquetUnavailable(RuntimeError):
    """The library that reads Parquet is not installed."""


@dataclass(frozen=True)
class SeriesMapping:
    """What the columns of one kind of file mean: tag -> (column, unit)."""

    name: str
    product: str
    title: str
    batch: str
    hours: str
    tags: Mapping[str, tuple[str, str]]


# Units of the industrial penicillin simulation as published: Goldrick et al. 2019,
# doi 10.1016/j.compchemeng.2019.05.037. Columns whose unit is in doubt there are left out.
PENICILLIN = SeriesMapping(
    name="indpensim",
    product="PENICILLIN",
    title="Penicillin fed-batch, readings every 12 minutes",
    batch="batch",
    hours="time_h",
    tags={
        "sugar_feed_l_per_h": ("Fs", "L/h"),
        "agitation_per_min": ("RPM", "/min"),
        "pressure_bar": ("pressure", "bar"),
        "dissolved_oxygen_mg_per_l": ("DO2", "mg/L"),
        "vessel_weight_kg": ("Wt", "kg"),
        "ph": ("pH", "[pH]"),
        "temperature_k": ("T", "K"),
    },
)
MAPPINGS = (PENICILLIN,)


@dataclass(frozen=True)
class Sample:
    """One value, hours after the start of its batch; its digits are the file's own."""

    tag: str
    at_h: float
    value: Decimal
    unit: str


@dataclass(frozen=True)
class BatchSeries:
    batch: str
    samples: tuple[Sample, ...]


def mapping_of(path: Path) -> SeriesMapping | None:
    """Return the declared mapping that fits a file's columns, or None."""
    try:
        from pyarrow import lib, parquet  # heavy, and needed here only
    except ImportError as error:
        raise ParquetUnavailable("reading Parquet needs pyarrow: pip install pyarrow") from error
    try:
        names = set(parquet.read_schema(path).names)
    except (lib.ArrowException, OSError):
        return None
    for mapping in MAPPINGS:
        columns = {column for column, _ in mapping.tags.values()}
        if columns | {mapping.batch, mapping.hours} <= names:
            return mapping
    return None


def unmapped(path: Path, mapping: SeriesMapping) -> list[str]:
    """Return the columns of a file that are not taken over, to be said to whoever imports it."""
    from pyarrow import parquet

    used = {column for column, _ in mapping.tags.values()} | {mapping.batch, mapping.hours}
    return [name for name in parquet.read_schema(path).names if name not in used]


def batches(path: Path, mapping: SeriesMapping) -> list[int]:
    """Return the batch numbers in a file, in their order."""
    from pyarrow import parquet

    column = parquet.read_table(path, columns=[mapping.batch])[mapping.batch].to_pylist()
    numbers = list(dict.fromkeys(column))
    for number in numbers:
        if not isinstance(number, (int, float)) or number != number // 1:
            raise SeriesUnreadable(f"{mapping.batch} holds {number!r}, which numbers no batch")
    return [int(number) for number in numbers]


def _measured(table: Any, column: str, *, batch: int) -> Any:
    """Return a column of numbers, NaN where nothing was measured, or raise `SeriesUnreadable`."""
    found = table[column].to_numpy()
    if found.dtype.kind not in "iuf":
        raise SeriesUnreadable(f"column {column} holds {table[column].type}, not numbers")
    for row in np.flatnonzero(np.isinf(found))[:1]:
        raise SeriesUnreadable(
            f"batch {batch}: row {row + 1} of it, column {column} holds {found[row]}, which is no "
            "measurement"
        )
    return found


def read(path: Path, mapping: SeriesMapping, *, wanted: list[int]) -> Iterator[BatchSeries]:
    """Yield the wanted batches of a file, each with its samples in order of time."""
    from pyarrow import parquet

    columns = [mapping.batch, mapping.hours, *(column for column, _ in mapping.tags.values())]
    for number in wanted:
        table = parquet.read_table(path, columns=columns, filters=[(mapping.batch, "=", number)])
        hours = _measured(table, mapping.hours, batch=number)
        if np.isnan(hours).any():
            raise SeriesUnreadable(f"batch {number}: a row has no {mapping.hours}")
        order = np.argsort(hours, kind="stable")
        series = {
            tag: _measured(table, column, batch=number) for tag, (column, _) in mapping.tags.items()
        }
        samples = tuple(
            # str() of a single-precision number gives its shortest digits: those of the file
            Sample(tag, float(hours[row]), Decimal(str(values[row])), mapping.tags[tag][1])
            for row in order
            for tag, values in series.items()
            if not np.isnan(values[row])
        )
        yield BatchSeries(str(number), samples)
