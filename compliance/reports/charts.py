"""Draw time series with their limits, forecast and events, as a vector drawing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from compliance.reports import downsampling, frames, plotting, spelling, svg
from compliance.reports.drawing import Drawing

Moment: TypeAlias = float | datetime


@dataclass(frozen=True)
class Series:
    """Name a measured series; values that are no number, or a leap over `gap`, break its line.

    Points come in order of their moment: datetimes, or numbers such as hours of batch age.
    `gap` is in seconds for datetimes, else in the unit of the numbers.
    """

    name: str
    points: Sequence[tuple[Moment, float]]
    gap: float | None = None


@dataclass(frozen=True)
class Limit:
    """Name a limit that is drawn across the chart."""

    label: str
    value: float


@dataclass(frozen=True)
class Mark:
    """Name an event at a moment."""

    label: str
    at: Moment


@dataclass(frozen=True)
class Band:
    """Hold a forecast: (moment, 5 % quantile, median, 95 % quantile)."""

    points: Sequence[tuple[Moment, float, float, float]]
    name: str = "forecast"


def time_series(
    series: Sequence[Series],
    *,
    limits: Sequence[Limit] = (),
    title: str,
    unit: str,
    marks: Sequence[Mark] = (),
    band: Band | None = None,
    beside: Band | None = None,
    x_label: str = "",
    width: float = 493.0,
    height: float = 172.0,
) -> Drawing:
    """Draw series over time; raise ValueError when datetimes and numbers are mixed.

    `band` is filled; `beside` is another forecast to compare it with, in outline.
    What the fonts lack is spelled out.
    """
    moments: list[Moment] = [at for one in series for at, _ in one.points]
    moments += [mark.at for mark in marks]
    moments += [point[0] for one in (band, beside) if one for point in one.points]
    is_dated = any(isinstance(at, datetime) for at in moments)
    if is_dated and not all(isinstance(at, datetime) for at in moments):
        raise ValueError("a chart has either datetimes or numbers along its axis, not both")
    frame = frames.Frame(
        title=spelling.spelled(title),
        unit=spelling.spelled(unit),
        is_dated=is_dated,
        x_label=spelling.spelled(x_label) or ("UTC" if is_dated else ""),
        lines=[
            frames.Trace(
                spelling.spelled(one.name),
                downsampling.segments([(_x(at), y) for at, y in one.points], gap=one.gap),
            )
            for one in series
        ],
        limits=[(spelling.spelled(limit.label), limit.value) for limit in limits],
        marks=sorted((_x(mark.at), spelling.spelled(mark.label)) for mark in marks),
        forecast=_forecast(band),
        forecast_name=spelling.spelled(band.name) if band else "",
        beside=_forecast(beside),
        beside_name=spelling.spelled(beside.name) if beside else "",
        width=width,
        height=height,
    )
    return plotting.Plot(frame).drawing()


def to_svg(drawing: Drawing) -> bytes:
    """Write a drawing as self-contained SVG: no script, no style sheet, no font to fetch."""
    return svg.write(drawing)


def _forecast(band: Band | None) -> list[frames.Stretch]:
    """Give low, median and high lines for each unbroken stretch of the forecast."""
    if band is None:
        return []
    rows = [(_x(at), low, median, high) for at, low, median, high in band.points]
    # A sum is finite only when all three are.
    stretches = downsampling.segments([(row[0], row[1] + row[2] + row[3]) for row in rows])
    by_x = {row[0]: row for row in rows}
    found = []
    for stretch in stretches:
        kept = [by_x[x] for x, _ in stretch]
        found.append(
            frames.Stretch(
                low=[(row[0], row[1]) for row in kept],
                median=[(row[0], row[2]) for row in kept],
                high=[(row[0], row[3]) for row in kept],
            )
        )
    return found


def _x(at: Moment) -> float:
    if isinstance(at, datetime):
        if at.tzinfo is None:
            raise ValueError(f"{at.isoformat()} has no time zone")
        return at.timestamp()
    return float(at)
