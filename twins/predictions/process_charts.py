"""Draw an odd batch: the signal that speaks loudest, beside what it does in normal batches."""

import re
from pathlib import Path

import numpy as np

from compliance.reports import charts
from compliance.reports.charts import Mark, Series
from compliance.reports.drawing import Drawing
from twins.models.process_monitoring.aligning import DURATION
from twins.models.process_monitoring.batches import Judged, Monitor
from twins.models.process_monitoring.reasons import Reason
from twins.predictions.batch_files import FileUnreadable

_SPREADS = 2.0


def of(judged: Judged, reason: Reason, monitor: Monitor) -> Drawing:
    """Draw the signal of a reason over the batch, with the mean and two spreads of normal batches."""
    place = monitor.alignment.columns.index(reason.signal)
    points = monitor.alignment.points
    percent = (100.0 * (np.arange(points) + 0.5) / points).tolist()
    usual, size = monitor.fitted.centre[:, place], _SPREADS * monitor.fitted.size[:, place]
    values = usual if judged.values is None else judged.values[:, place]
    lines = {
        "this batch": values,
        "normal, mean": usual,
        "two spreads above": usual + size,
        "two spreads below": usual - size,
    }
    return charts.time_series(
        [
            Series(name, list(zip(percent, line.tolist(), strict=True)))
            for name, line in lines.items()
        ],
        title=f"{reason.signal}, batch {judged.name}",
        unit="ln samples" if reason.signal == DURATION else "as recorded",
        marks=[Mark("off from", percent[reason.first]), Mark("until", percent[reason.last])],
        x_label="% of the batch",
    )


def write(judged: list[Judged], monitor: Monitor, folder: Path) -> int:
    """Write an SVG for each odd batch into a folder; return how many."""
    odd = [one for one in judged if one.verdict == "odd" and one.reasons]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for one in odd:
            name = re.sub(r"[^A-Za-z0-9._-]", "-", one.name)
            drawing = of(one, one.reasons[0], monitor)
            (folder / f"batch-{name}.svg").write_bytes(charts.to_svg(drawing))
    except OSError as error:
        raise FileUnreadable(f"{folder} cannot be written: {error}") from error
    return len(odd)
