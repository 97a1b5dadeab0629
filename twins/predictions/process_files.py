"""Read files of any process, whose columns are what they are, and tell numbers from texts."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from compliance.refusals import Refused
from twins.models.process_monitoring.encoding import Columns
from twins.models.process_monitoring.summing import Floats, Ints
from twins.predictions import batch_files, file_numbers
from twins.predictions.batch_files import ColumnsMissing, OtherUnit
from twins.predictions.file_numbers import NoNumber

# A column of which so many cells are numbers is one of numbers, its other cells are not known.
_MOSTLY = 0.8
# A text that hardly repeats names its row and says nothing about the next.
_NAMES = 0.5
# Values of another unit lie so many ranges of the reference away, or move so many times less.
_RANGES_AWAY, _TIMES_STILLER = 1.0, 200.0
_STEP_RATIO = 1.5


class NoColumns(Refused):
    """A file has no column that could be used as an input."""

    code = "process-columns-none"
    status = 422


@dataclass(frozen=True)
class Sheet:
    """A file as it is: named columns of equal length."""

    name: str
    cells: dict[str, list[Any]]

    @property
    def count(self) -> int:
        """Return how many rows there are."""
        return len(next(iter(self.cells.values())))

    def column(self, name: str) -> list[Any]:
        """Return a column; raise `ColumnsMissing`."""
        self.demand((name,))
        return self.cells[name]

    def demand(self, names: Sequence[str]) -> None:
        """Raise `ColumnsMissing` when a column is not there."""
        if missing := [name for name in names if name not in self.cells]:
            raise ColumnsMissing(
                f"{self.name} lacks {', '.join(missing)}; it has {', '.join(self.cells)}"
            )


def read(path: Path) -> Sheet:
    """Return the whole file; raise a refusal that says what is wrong."""
    return Sheet(path.name, batch_files.read_all(path))


def is_numeric(cells: list[Any]) -> bool:
    """Tell whether most of what is in these cells are numbers."""
    found = [file_numbers.parsed(cell) for cell in cells]
    told = [one for one in found if one is None or not np.isnan(one)]
    numbers = sum(one is not None for one in told)
    return bool(told) and numbers >= _MOSTLY * len(told)


def numbers(sheet: Sheet, name: str, *, strictly: bool = True) -> tuple[Floats, int]:
    """Return a column of numbers and how many cells are none; strictly, that raises `NoNumber`."""
    found = [file_numbers.parsed(cell) for cell in sheet.column(name)]
    wrong = sum(one is None for one in found)
    if wrong and strictly:
        row = found.index(None)
        raise file_numbers.no_number(sheet.name, name, row, sheet.column(name)[row])
    return np.array([np.nan if one is None else one for one in found]), wrong


def signals(sheet: Sheet, *, without: Sequence[str]) -> tuple[str, ...]:
    """Return the columns of numbers that are not named in `without`; raise `NoColumns`."""
    sheet.demand(without)
    found = tuple(n for n, cells in sheet.cells.items() if n not in without and is_numeric(cells))
    if not found:
        raise NoColumns(f"{sheet.name} has no column of numbers left")
    return found


def matrix(sheet: Sheet, names: Sequence[str]) -> Floats:
    """Return columns of numbers side by side; raise `ColumnsMissing` or `NoNumber`."""
    sheet.demand(names)
    return np.column_stack([numbers(sheet, name)[0] for name in names])


def rows_by(sheet: Sheet, name: str) -> dict[str, Ints]:
    """Return the rows of each batch in the order of the file; raise `NoNumber` for a nameless one."""
    found: dict[str, list[int]] = {}
    for row, cell in enumerate(sheet.column(name)):
        if cell is None or cell == "" or cell != cell:  # noqa: PLR0124 -- NaN
            raise NoNumber(f"{sheet.name}: row {row + 1} names no batch")
        found.setdefault(str(cell), []).append(row)
    return {one: np.array(rows, dtype=np.int64) for one, rows in found.items()}


def inputs(sheet: Sheet, *, without: Sequence[str]) -> tuple[Columns, list[str]]:
    """Return all other columns as numbers or texts, and what has to be said about them."""
    sheet.demand(without)
    found_numbers: dict[str, Floats] = {}
    found_texts: dict[str, tuple[str, ...]] = {}
    notes = []
    for name, cells in sheet.cells.items():
        if name in without:
            continue
        if is_numeric(cells):
            found_numbers[name], wrong = numbers(sheet, name, strictly=False)
            if wrong:
                notes.append(_not_known(name, wrong))
            continue
        texts = tuple(text_of(cell) for cell in cells)
        if len(set(texts)) > _NAMES * len(texts):
            notes.append(f"{name} names its rows, so it is no input")
            continue
        found_texts[name] = texts
    if not found_numbers and not found_texts:
        raise NoColumns(f"{sheet.name} has no column left that could be an input")
    return Columns(found_numbers, found_texts, sheet.count), notes


def named_inputs(
    sheet: Sheet, numeric: Sequence[str], texts: Sequence[str]
) -> tuple[Columns, list[str]]:
    """Return the inputs that a kept twin was trained with, and what has to be said about them.

    Raise `ColumnsMissing`.
    """
    sheet.demand((*numeric, *texts))
    told = {name: numbers(sheet, name, strictly=False) for name in numeric}
    columns = Columns(
        {name: values for name, (values, _) in told.items()},
        {name: tuple(text_of(cell) for cell in sheet.cells[name]) for name in texts},
        sheet.count,
    )
    return columns, [_not_known(name, wrong) for name, (_, wrong) in told.items() if wrong]


def _not_known(name: str, count: int) -> str:
    return f"{name}: {count} cells are no numbers and count as not known"


def text_of(cell: Any) -> str:
    """Return a cell as a text, the empty one for what is not known."""
    return "" if cell is None or cell != cell else str(cell)  # noqa: PLR0124 -- NaN


def order_by(sheet: Sheet, name: str | None) -> Ints:
    """Return the rows in the order of a column of numbers or texts; without one, as they stand."""
    if name is None:
        return np.arange(sheet.count, dtype=np.int64)
    cells = sheet.column(name)
    if is_numeric(cells):
        values, _ = numbers(sheet, name)
        if np.isnan(values).any():
            raise NoNumber(f"{sheet.name}: a row has no {name}, so its place in time is not known")
        return np.argsort(values, kind="stable").astype(np.int64)
    return np.array(sorted(range(len(cells)), key=lambda row: text_of(cells[row])), dtype=np.int64)


def check_units(names: Sequence[str], values: Floats, low: Floats, high: Floats) -> None:
    """Raise `OtherUnit` when a column can hardly be in the unit of the reference."""
    for place, name in enumerate(names):
        told = values[np.isfinite(values[:, place]), place]
        reach = float(high[place] - low[place])
        if len(told) < 2 or reach <= 0.0:
            continue
        middle, moved = float(np.median(told)), float(told.max() - told.min())
        away = not low[place] - _RANGES_AWAY * reach <= middle <= high[place] + _RANGES_AWAY * reach
        if away or 0.0 < moved < reach / _TIMES_STILLER:
            raise OtherUnit(
                f"column {name} has a median of {middle:g} and a range of {moved:g}; in the reference "
                f"it goes from {low[place]:g} to {high[place]:g}: is it in another unit?"
            )


def step_of(time: Floats, rows: Sequence[Ints]) -> float:
    """Return the usual time between samples, within batches."""
    steps = [float(np.median(np.diff(time[one]))) for one in rows if len(one) > 1]
    return float(np.median(steps)) if steps else 0.0


def check_step(step: float, usual: float) -> None:
    """Raise `OtherUnit` when samples are much closer or wider than in the reference."""
    if usual > 0.0 and not 1.0 / _STEP_RATIO <= step / usual <= _STEP_RATIO:
        raise OtherUnit(
            f"a sample comes every {step:g}; in the reference every {usual:g}: another unit of time, "
            "or another sampling rate?"
        )
