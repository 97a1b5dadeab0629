"""Read files of batches that a batch twin replays, and write its answers."""

import csv
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from compliance.refusals import Refused
from compliance.trail import unfinished
from twins.models.batch_monitoring.samples import Floats
from twins.models.batch_monitoring.signals import (
    LABORATORY,
    LABORATORY_NAMES,
    ONLINE,
    ONLINE_NAMES,
    STEP_H,
)
from twins.predictions import file_numbers
from twins.predictions.file_numbers import NoNumber

REQUIRED = ("batch", "time_h", *ONLINE_NAMES, *LABORATORY_NAMES)


class FileUnreadable(Refused):
    """A file cannot be read as a table."""

    code = "batch-file-unreadable"
    status = 422


class ColumnsMissing(Refused):
    """A file lacks columns that the twin needs."""

    code = "batch-columns-missing"
    status = 422


class OtherUnit(Refused):
    """A column is not in the unit that the twin was trained with."""

    code = "batch-column-other-unit"
    status = 422


class OverInput(Refused):
    """The answers would be written over the data that they answer."""

    code = "batch-file-is-input"


class NoBatches(Refused):
    """A file holds no sample."""

    code = "batch-file-empty"
    status = 422


@dataclass(frozen=True)
class Table:
    """Named columns of equal length; a batch may be named by a number or a text."""

    batch: list[Any]
    columns: dict[str, Floats]

    def rows_of(self) -> dict[Any, np.ndarray]:
        """Return the rows of each batch in the order of arrival."""
        found: dict[Any, list[int]] = {}
        for row, name in enumerate(self.batch):
            found.setdefault(name, []).append(row)
        return {name: np.array(rows, dtype=np.int64) for name, rows in found.items()}


_WHOLE = re.compile(r"0|[1-9][0-9]*")


def read(path: Path, *, required: Sequence[str] = REQUIRED) -> Table:
    """Return the required columns of a parquet or CSV file; raise a refusal that says what is wrong.

    Other columns are left alone, and the order of columns does not matter.
    """
    if not path.is_file():
        raise FileUnreadable(f"there is no file {path}")
    names, raw = _csv(path) if path.suffix.lower() == ".csv" else _parquet(path)
    _check_once(path, [name for name in names if name in required])
    missing = [name for name in required if name not in names]
    if missing:
        raise ColumnsMissing(
            f"{path.name} lacks {', '.join(missing)}; needed are {', '.join(required)}"
        )
    batch = raw("batch")
    if not batch:
        raise NoBatches(f"{path.name} has no rows")
    if any(isinstance(one, (list, dict)) for one in batch):
        raise NoNumber(f"{path.name}: a batch is named by a number or a text, not by a list")
    if any(one is None or one == "" or one != one for one in batch):  # noqa: PLR0124 -- NaN
        raise NoNumber(f"{path.name}: a row names no batch")
    columns = {name: _floats(path, name, raw(name)) for name in required if name != "batch"}
    return Table(batch, columns)


def numbers(path: Path) -> dict[str, Floats]:
    """Return every column of a parquet or CSV file as numbers; raise a refusal for what is wrong."""
    if not path.is_file():
        raise FileUnreadable(f"there is no file {path}")
    names, raw = _csv(path) if path.suffix.lower() == ".csv" else _parquet(path)
    _check_once(path, names)
    return {name: _floats(path, name, raw(name)) for name in names}


def column_names(path: Path) -> list[str]:
    """Return the names of the columns of a parquet or CSV file."""
    if not path.is_file():
        raise FileUnreadable(f"there is no file {path}")
    return (_csv(path) if path.suffix.lower() == ".csv" else _parquet(path))[0]


def _check_once(path: Path, names: list[str]) -> None:
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise FileUnreadable(f"{path.name} has two columns {twice[0]!r}")


def _parquet(path: Path, *, plain: bool = False) -> tuple[list[str], Any]:
    try:
        from pyarrow import lib, parquet  # heavy, and needed here only
    except ImportError as error:
        raise FileUnreadable("reading Parquet needs pyarrow: pip install pyarrow") from error
    try:
        names = parquet.read_schema(path).names
        wanted = [name for name in dict.fromkeys(names) if names.count(name) == 1]
        table = parquet.read_table(path, columns=wanted)
    except MemoryError:
        raise  # the file may be sound
    except (lib.ArrowException, OSError, ValueError) as error:
        raise FileUnreadable(f"{path.name} is no readable Parquet file: {error}") from error

    def column(name: str) -> Any:
        found = table.column(name).combine_chunks()
        if plain or name == "batch":
            return found.to_pylist()
        try:
            return found.to_numpy(zero_copy_only=False)
        except (lib.ArrowException, ValueError) as error:
            raise NoNumber(f"{path.name}: column {name} is not numeric") from error

    return names, column


def _csv(path: Path) -> tuple[list[str], Any]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as handle:
            rows = list(csv.reader(handle))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise FileUnreadable(f"{path.name} is no readable CSV file: {error}") from error
    if not rows:
        raise NoBatches(f"{path.name} is empty")
    for line, row in enumerate(rows, start=1):
        if any("\0" in field for field in row):
            raise FileUnreadable(f"{path.name} line {line} holds a NUL character: is it damaged?")
    names = [one.strip() for one in rows[0]]
    for line, row in enumerate(rows[1:], start=2):
        if row and len(row) != len(names):
            raise FileUnreadable(
                f"{path.name} line {line} has {len(row)} fields, its header {len(names)}"
            )
    body = [row for row in rows[1:] if row]

    def column(name: str) -> Any:
        at = names.index(name)
        texts = [row[at].strip() for row in body]
        if name == "batch":
            # "007" and "7" are two batches, and a longer number fits no column of numbers.
            numbers = all(len(one) <= 18 and _WHOLE.fullmatch(one) for one in texts)
            return [int(one) for one in texts] if numbers else texts
        return texts

    return names, column


def _floats(path: Path, name: str, values: Any) -> Floats:
    if isinstance(values, np.ndarray) and values.dtype.kind in "mM":
        raise NoNumber(f"{path.name}: column {name} holds moments or durations, not numbers")
    return file_numbers.floats(path.name, name, values)


def check_units(table: Table, usual: dict[str, float]) -> None:
    """Raise `OtherUnit` when a column can hardly be in the unit of the training."""
    for one in (*ONLINE, *LABORATORY):
        values = table.columns[one.name]
        values = values[np.isfinite(values)]
        if one.name == "Fremoved" and np.count_nonzero(values) > _FEW:
            values = values[values != 0.0]  # it rests nearly always
        if not len(values):
            continue
        outside = float(((values < one.low) | (values > one.high)).mean())
        middle, expected = float(np.median(values)), usual.get(one.name, 0.0)
        far = expected > 0 and middle > 0 and not 0.04 < middle / expected < 25.0
        enough = len(values) > (_FEW if one in LABORATORY else 100)
        if outside > 0.5 or (far and enough and one.name not in _RANGING):
            raise OtherUnit(
                f"column {one.name} has a median of {middle:g}; the twin was trained on "
                f"{expected:g} {one.unit}: is it in another unit?"
            )
    for name, rows in table.rows_of().items():
        steps = np.diff(np.sort(table.columns["time_h"][rows]))
        steps = steps[steps > 1e-9]
        if len(steps) > 5 and float(np.median(steps)) > 3 * STEP_H:
            raise OtherUnit(
                f"time_h of batch {name} moves by {float(np.median(steps)):g} a sample; the twin "
                f"takes hours and needs a sample every {STEP_H:g} h"
            )


# So many values say little of a unit.
_FEW = 9
# These range over decades in usual batches.
_RANGING = ("Fa", "Fb", "Fc", "Fh", "Fw", "Fremoved", "lab_P", "OUR", "CER", "Q", "Fpaa")


def write(path: Path, columns: dict[str, Any]) -> None:
    """Write named columns to a parquet or CSV file; an existing file is replaced at the end only."""
    with replacing(path) as beside:
        if path.suffix.lower() == ".csv":
            with beside.open("w", newline="", encoding="utf-8") as handle:
                out = csv.writer(handle)
                out.writerow(columns)
                out.writerows(zip(*(_plain(one) for one in columns.values()), strict=True))
        else:
            from pyarrow import parquet, table

            named = {name: _arrow(one) for name, one in columns.items()}
            parquet.write_table(table(named), beside)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a new file that takes this one's place at the end; raise `FileUnreadable`.

    A link stays one: what it points at is replaced. What is no file (a pipe, a device) stays too.
    """
    try:
        path = path.resolve()
        if not path.name or (path.exists() and not path.is_file()):
            raise FileUnreadable(f"{path} cannot be written: it is no file")
        with unfinished.beside(path) as fresh:
            yield fresh.path
            fresh.path.replace(path)
    except (OSError, ImportError) as error:
        raise FileUnreadable(f"{path} cannot be written: {error}") from error


def _arrow(column: Any) -> Any:
    from pyarrow import array, uint64

    try:
        return array(column)
    except OverflowError:  # unsigned numbers of 64 bits name batches too
        return array(column, uint64())


def _plain(column: Any) -> list[Any]:
    return column.tolist() if isinstance(column, np.ndarray) else list(column)


def read_mixed(path: Path, required: Sequence[str]) -> dict[str, list[Any]]:
    """Return columns of a parquet or CSV file as they are, for labels of texts and numbers."""
    if not path.is_file():
        raise FileUnreadable(f"there is no file {path}")
    names, raw = _csv(path) if path.suffix.lower() == ".csv" else _parquet(path, plain=True)
    _check_once(path, [name for name in names if name in required])
    missing = [name for name in required if name not in names]
    if missing:
        raise ColumnsMissing(f"{path.name} lacks {', '.join(missing)}")
    return {name: list(raw(name)) for name in required}


def read_all(path: Path) -> dict[str, list[Any]]:
    """Return every column of a parquet or CSV file as it is; raise a refusal that says what is wrong."""
    if not path.is_file():
        raise FileUnreadable(f"there is no file {path}")
    names, raw = _csv(path) if path.suffix.lower() == ".csv" else _parquet(path, plain=True)
    _check_once(path, names)
    found = {name: list(raw(name)) for name in names}
    if not any(found.values()):
        raise NoBatches(f"{path.name} has no rows")
    return found


def number(value: Any) -> float | None:
    """Return a finite number, None for a missing one; raise `NoNumber` for all else."""
    found = file_numbers.parsed(value)
    if found is None:
        raise NoNumber(f"{value!r} is no number")
    return None if np.isnan(found) else found
