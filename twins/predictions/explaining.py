"""Explain the alarm of one batch of a file: what it may be, and what it cost."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from compliance.refusals import Refused
from twins.hub import batch_models
from twins.models import documents
from twins.models.batch_monitoring.model import Model
from twins.predictions import batch_files, batch_replays, explained_alarms, explained_words
from twins.predictions.batch_files import Table
from twins.predictions.explainable import DETECTOR, SEED
from twins.predictions.explained_alarms import MomentUnusable


class BatchNotInFile(Refused):
    """A file holds no batch of this name, or no sample of it until the moment asked for."""

    code = "batch-not-in-file"
    status = 422


@dataclass(frozen=True)
class Moments:
    """Hours of a question: the last sample to look at, the suspected onset, the end of the product."""

    until_h: float | None = None
    onset_h: float | None = None
    end_h: float | None = None

    def __post_init__(self) -> None:
        for name in ("until_h", "onset_h", "end_h"):
            hour = getattr(self, name)
            if hour is not None and not 0.0 < hour < np.inf:
                raise MomentUnusable(f"--{name.replace('_', '-')} {hour:g} is no hour of a batch")


def explain(data: Path, batch: str, moments: Moments, out: Path) -> list[str]:
    """Explain a batch of a file, write the answer as JSON, and return it as lines to read."""
    if out.resolve() == data.resolve():
        raise batch_files.OverInput(f"{out} is the data itself; name another file for the answer")
    opened = batch_models.open_(DETECTOR)
    standing = batch_replays.standing_of(opened)
    table = _batch_of(batch_files.read(data), batch, moments.until_h, data.name)
    batch_files.check_units(table, batch_replays.usual_of(opened))
    document = _document(opened.model, table, batch, moments)
    document["detector"] = {
        "name": DETECTOR,
        "digest": str(opened.dossier["digest"]),
        "code_is_that_of_training": opened.code_is_that_of_training,
    }
    _write(out, document)
    return [*explained_words.lines(document), standing]


def _batch_of(table: Table, batch: str, until_h: float | None, file: str) -> Table:
    """Return the rows of one batch up to an hour, in the order of arrival."""
    of_name = {str(name): rows for name, rows in table.rows_of().items()}
    if batch not in of_name:
        known = ", ".join(list(of_name)[:10])
        raise BatchNotInFile(
            f"{file} holds no batch {batch}; it holds {known}, {len(of_name)} in all"
        )
    rows = of_name[batch]
    if until_h is not None:
        rows = rows[table.columns["time_h"][rows] <= until_h + 1e-6]
    if not len(rows):
        raise BatchNotInFile(f"{file} holds no sample of batch {batch} up to {until_h:g} h")
    return Table(
        [table.batch[row] for row in rows],
        {name: values[rows] for name, values in table.columns.items()},
    )


def _document(model: Model, table: Table, batch: str, moments: Moments) -> dict[str, Any]:
    grid = batch_replays.grid_of(table, np.arange(len(table.batch)))
    if not len(grid.time_h):
        raise BatchNotInFile(f"no sample of batch {batch} says when it was taken")
    as_of_h = float(grid.time_h[-1])
    # Without an hour the file is taken for the whole batch.
    usual_end_h = as_of_h if moments.until_h is None else explained_alarms.USUAL_END_H
    end_h = moments.end_h or max(as_of_h, usual_end_h)
    return {
        "batch": batch,
        "as_of_h": round(as_of_h, 6),
        "rows_sha256": _digest(table),
        "code_sha256": documents.code_digest(),
        "seed": SEED,
        **explained_alarms.told(
            model, grid, batch=batch, end_h=end_h, seed=SEED, onset_h=moments.onset_h
        ),
    }


def _digest(table: Table) -> str:
    """Return the SHA-256 of the values that were looked at, column after column."""
    found = hashlib.sha256()
    for name, values in sorted(table.columns.items()):
        found.update(f"{name}\n{len(values)}\n".encode() + np.ascontiguousarray(values).tobytes())
    return found.hexdigest()


def _write(path: Path, document: dict[str, Any]) -> None:
    with batch_files.replacing(path) as beside:
        beside.write_text(
            json.dumps(document, indent=1, sort_keys=True, allow_nan=False) + "\n", encoding="utf-8"
        )
