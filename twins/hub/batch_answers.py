"""Ask a trained batch twin about whole batches, as its registered version and as nothing else."""

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation

import numpy as np

from compliance.refusals import Refused
from twins.hub import batch_models
from twins.hub.dossiers import BatchRows
from twins.hub.models import ModelVersion
from twins.models.batch_monitoring import samples
from twins.models.batch_monitoring.model import Model, answer
from twins.models.batch_monitoring.samples import Floats
from twins.models.batch_monitoring.signals import LABORATORY_NAMES, ONLINE_NAMES
from twins.models.qualification.contents import Row, RowsUnreadable
from twins.models.qualification.scoring import Answer

COLUMNS = ("time_h", *ONLINE_NAMES, *LABORATORY_NAMES)


class RowsRefused(Refused):
    """The rows of a batch are not what the twin reads."""

    code = "batch-rows-unreadable"
    status = 422


def of_version(version: ModelVersion, batches: Sequence[BatchRows]) -> dict[str, Answer]:
    """Return the answer to each batch, by the digest of its content.

    Raise what `batch_models.of_version` raises when the file is not what was registered.
    """
    opened = batch_models.of_version(version)
    try:
        return {batch.digest: of_rows(opened.model, batch.rows) for batch in batches}
    except RowsUnreadable as error:
        raise RowsRefused(str(error)) from error


def of_rows(model: Model, rows: Sequence[Row]) -> Answer:
    """Replay one batch sample by sample, and return its first alarm.

    Rows count in the order of their time, as far as the digest of a batch knows their order: who
    hands them in cannot change an answer by turning them round. A batch is undecided when it was
    never alarmed but was undecided or out of domain at some sample. The twin's probability is that
    of a deviation now, not of one in the batch, so there is none here.
    """
    columns = {name: _column(rows, name) for name in COLUMNS}
    order = np.lexsort([columns[name] for name in reversed(COLUMNS)])
    columns = {name: values[order] for name, values in columns.items()}
    grid = samples.on_grid(
        columns["time_h"],
        {name: columns[name] for name in ONLINE_NAMES},
        {name: columns[name] for name in LABORATORY_NAMES},
    )
    if not len(grid.time_h):  # no row has a time
        return Answer(None, is_undecided=True)
    said = answer(model, grid)
    at = np.clip(grid.row_slot, 0, None)
    alarmed = np.flatnonzero(said.alarm[at])
    if len(alarmed):
        return Answer(float(columns["time_h"][alarmed[0]]))
    return Answer(None, is_undecided=bool((said.undecided | ~said.in_domain)[at].any()))


def _column(rows: Sequence[Row], name: str) -> Floats:
    return np.array([_number(row, name) for row in rows], dtype=np.float64)


def _number(row: Mapping[str, object], name: str) -> float:
    value = row.get(name)
    if value is None or value == "":
        return float("nan")
    if isinstance(value, (int, float, Decimal, str)) and not isinstance(value, bool):
        try:
            return float(Decimal(str(value).strip()))
        except InvalidOperation:
            pass
    raise RowsRefused(f"{name} holds {str(value)[:40]!r}, which is no number")
