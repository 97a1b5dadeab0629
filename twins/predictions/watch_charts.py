"""Draw what a watching twin saw and said of a batch."""

from collections.abc import Iterable, Mapping
from typing import Any

from compliance.reports import charts
from compliance.reports.charts import Band, Limit, Mark, Series
from compliance.reports.drawing import Drawing
from twins.models.batch_monitoring.signals import LABORATORY, ONLINE
from twins.models.batch_watch import WatchRequest

SCORE = "score"
_GAP_H = 1.0
_UNITS = {one.name: one.unit for one in (*ONLINE, *LABORATORY)}
# What the laboratory measures of a quantity that is foretold.
_ANALYSED = {"penicillin": "lab_P"}


def draw(number: str, request: WatchRequest, document: Mapping[str, Any], what: str) -> Drawing:
    """Return the drawing of the score, of a quantity that is foretold, or of a signal."""
    now = Mark("as of", request.as_of_h)
    if what == SCORE:
        points = zip(document["history_h"], document["history"], strict=True)
        return charts.time_series(
            [Series("score", [(float(at), float(value)) for at, value in points])],
            limits=[Limit("alarm", 1.0)],
            title=f"Unlikeness to normal batches, batch {number}",
            unit="of the limit",
            marks=[*_since(document), now],
            x_label="h since start",
        )
    for one in document["forecasts"]:
        if one["quantity"] == what:
            return charts.time_series(
                _analysed(request, what),
                title=f"{what}, batch {number}",
                unit=one["unit"],
                marks=[now],
                band=_band(one),
                x_label="h since start",
            )
    column = request.online.get(what) or request.laboratory.get(what) or ()
    return charts.time_series(
        [Series(what, _points(request, column), gap=_GAP_H if what in request.online else None)],
        title=f"{what}, batch {number}",
        unit=_UNITS.get(what, ""),
        marks=[*_since(document), now],
        x_label="h since start",
    )


def _since(document: Mapping[str, Any]) -> list[Mark]:
    since = document["alarm_since_h"]
    return [] if since is None else [Mark("alarm", float(since))]


def _analysed(request: WatchRequest, quantity: str) -> list[Series]:
    name = _ANALYSED.get(quantity)
    points = _points(request, request.laboratory[name]) if name else []
    return [Series("laboratory, as reported", points)] if points else []


def _points(request: WatchRequest, column: Iterable[float | None]) -> list[tuple[float, float]]:
    pairs = zip(request.time_h, column, strict=False)
    return [(at, value) for at, value in pairs if value is not None]


def _band(one: Mapping[str, Any]) -> Band:
    rows = zip(one["at_h"], one["low"], one["middle"], one["high"], strict=True)
    return Band([(float(at), float(low), float(mid), float(high)) for at, low, mid, high in rows])
