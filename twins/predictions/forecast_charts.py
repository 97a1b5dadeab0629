"""Draw what was read and what is foretold of one tag, with its limits."""

from collections.abc import Mapping
from typing import Any

from compliance.reports import charts
from compliance.reports.charts import Band, Limit, Mark, Series
from compliance.reports.drawing import Drawing
from twins.models.requests import Request

# Longer without a value than this, and the line breaks.
_GAP_H = 1.0


def draw(number: str, request: Request, document: Mapping[str, Any], tag: str) -> Drawing:
    """Draw readings up to `as_of`, median and 5 to 95 % band after it, and the limits of a tag."""
    limits = [one for one in document["limits"] if one["tag"] == tag]
    measured = request.measured(tag)
    series = [
        Series(name, list(points), gap=gap)
        for name, points, gap in (
            ("reading", measured.online, _GAP_H),
            ("laboratory", measured.laboratory, None),
        )
        if points
    ]
    return charts.time_series(
        series,
        limits=[
            Limit("lower limit" if one["side"] == "low" else "upper limit", float(one["bound"]))
            for one in limits
        ],
        title=f"{tag}, batch {number}",
        unit=limits[0]["unit"],
        marks=[Mark("as of", request.as_of_h)],
        band=_band(document, tag),
        x_label="h since start",
    )


def _band(document: Mapping[str, Any], tag: str) -> Band | None:
    for path in document["trajectories"]:
        if path["tag"] == tag:
            rows = zip(path["at_h"], path["q05"], path["q50"], path["q95"], strict=True)
            return Band(
                [(float(at), float(low), float(mid), float(high)) for at, low, mid, high in rows]
            )
    return None
