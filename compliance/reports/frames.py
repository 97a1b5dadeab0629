"""Work out where everything of a plot stands: ranges, margins, lanes of events, legend."""

from dataclasses import dataclass
from functools import cached_property

from compliance.reports import flags, scales, typefaces
from compliance.reports.drawing import Point
from compliance.reports.flags import Flag

TEXT = 7.0
TITLE = 8.6
LANE = 9.0
LANES_AT_MOST = 8
LEGEND = 11.0
NAMES_AT_MOST = 40
FORECAST, EVENT, BESIDE = -1, -2, -3


@dataclass(frozen=True)
class Trace:
    """Name a curve; each segment is unbroken."""

    name: str
    segments: list[list[Point]]


@dataclass(frozen=True)
class Stretch:
    """Hold one unbroken stretch of a forecast as three curves."""

    low: list[Point]
    median: list[Point]
    high: list[Point]


@dataclass(frozen=True)
class Entry:
    """Hold a legend's entry: the number of a curve, FORECAST, BESIDE, or EVENT."""

    text: str
    number: int

    @property
    def width(self) -> float:
        """Give the room it takes with its sample and a distance to the next."""
        return wide(self.text) + 30


@dataclass(kw_only=True)
class Frame:
    """Hold everything a plot shows, with x as plain numbers (POSIX seconds when dated)."""

    title: str
    unit: str
    is_dated: bool
    x_label: str
    lines: list[Trace]
    limits: list[tuple[str, float]]
    marks: list[tuple[float, str]]
    forecast: list[Stretch]
    forecast_name: str
    beside: list[Stretch]
    beside_name: str
    width: float
    height: float

    @cached_property
    def data(self) -> list[Point]:
        """Give every point that is drawn."""
        drawn = [line for trace in self.lines for line in trace.segments]
        stretches = [*self.forecast, *self.beside]
        drawn += [line for stretch in stretches for line in (stretch.low, stretch.high)]
        return [point for line in drawn for point in line]

    @cached_property
    def x(self) -> tuple[float, float]:
        """Give the range along the axis, never empty."""
        found = [x for x, _ in self.data] + [x for x, _ in self.marks]
        low, high = scales.spread(found, padding=0.0) if found else (0.0, 1.0)
        return (low - 1, high + 1) if low == high else (low, high)

    @cached_property
    def y(self) -> tuple[float, float]:
        """Give the range of values with room around it, limits included."""
        return scales.spread([y for _, y in self.data] + [value for _, value in self.limits])

    @cached_property
    def y_ticks(self) -> list[scales.Tick]:
        """Give the ticks of the values."""
        return scales.numbers(*self.y, about=max(int((self.top - self.bottom) / 16), 2))

    @cached_property
    def flags(self) -> list[Flag]:
        """Give the events with their names, or with numbers when the names would stack too high."""
        named = self._stacked([name for _, name in self.marks])
        if all(flag.lane < LANES_AT_MOST for flag in named):
            return named
        return self._stacked([str(number) for number in range(1, len(self.marks) + 1)])

    def _stacked(self, texts: list[str]) -> list[Flag]:
        events = [(self.at_x(x), text) for (x, _), text in zip(self.marks, texts, strict=True)]
        return flags.stacked(events, measure=wide, left=self.left, right=self.right)

    @cached_property
    def lane_count(self) -> int:
        """Give how many lanes events take."""
        return min(max((flag.lane + 1 for flag in self.flags), default=0), LANES_AT_MOST)

    @cached_property
    def legend(self) -> list[list[Entry]]:
        """Give the entries of the legend row by row."""
        entries = [Entry(trace.name, number) for number, trace in enumerate(self.lines)]
        if self.forecast:
            entries.append(Entry(f"{self.forecast_name}: median, 5–95 %", FORECAST))
        if self.beside:
            entries.append(Entry(f"{self.beside_name}: median, 5–95 %", BESIDE))
        names = [name for _, name in self.marks]
        if [flag.text for flag in self.flags] != names:
            listed = [f"{number} {name}" for number, name in enumerate(names, start=1)]
            if len(listed) > NAMES_AT_MOST:
                rest = len(listed) - NAMES_AT_MOST
                listed = [*listed[:NAMES_AT_MOST], f"and {rest} more events, not named here"]
            entries += [Entry(text, EVENT) for text in listed]
        rows: list[list[Entry]] = []
        used = self.width
        for entry in entries:
            if used + entry.width > self.width:
                rows.append([])
                used = 0.0
            rows[-1].append(entry)
            used += entry.width
        return rows

    @property
    def left(self) -> float:
        """Give the left end of the plot's area."""
        # Not the ticks that are drawn: how many these are depends on the lanes above the plot.
        ticks = scales.numbers(*self.y, about=8)
        return 12 + max((wide(tick.text) for tick in ticks), default=20)

    @cached_property
    def right(self) -> float:
        """Give the right end; the names of limits stand beyond it."""
        return self.width - max((wide(text) for text, _ in self.limit_texts), default=0) - 8

    @cached_property
    def limit_texts(self) -> list[tuple[str, float]]:
        """Give each limit's name, shortened when it must be, with its value, which never is."""
        texts = []
        for label, value in self.limits:
            shown = f" {plain(value)}"
            texts.append((fitting(label, room=self.width * 0.4 - wide(shown)) + shown, value))
        return texts

    @property
    def bottom(self) -> float:
        """Give the lower end of the plot's area."""
        return 22.0

    @property
    def top(self) -> float:
        """Give the upper end; events, legend and title stand above it."""
        return self.height - TITLE - 8 - (LEGEND if self.legend else 0)

    @cached_property
    def total_height(self) -> float:
        """Give the drawing's height: lanes and more rows of legend add to it."""
        return self.height + LANE * self.lane_count + LEGEND * max(len(self.legend) - 1, 0)

    def at_x(self, x: float) -> float:
        """Give the place of a moment."""
        low, high = self.x
        return self.left + (x - low) / (high - low) * (self.right - self.left)

    def at_y(self, y: float) -> float:
        """Give the place of a value."""
        low, high = self.y
        return self.bottom + (y - low) / (high - low) * (self.top - self.bottom)

    @property
    def description(self) -> str:
        """Say in words what the plot shows."""
        parts = [f"Values in {self.unit}." if self.unit else ""]
        for trace in self.lines:
            values = [y for segment in trace.segments for _, y in segment]
            parts.append(
                f"{trace.name}: {len(values)} points from {plain(min(values))}"
                f" to {plain(max(values))}."
                if values
                else f"{trace.name}: no readings recorded."
            )
        parts += [f"Limit {label} {plain(value)}." for label, value in self.limits]
        parts += [f"Event {label}." for _, label in self.marks]
        return " ".join(part for part in parts if part)


def wide(text: str) -> float:
    """Measure a label."""
    return typefaces.width(typefaces.composed(text), face=typefaces.REGULAR, size=TEXT)


def plain(value: float) -> str:
    """Write a value for reading."""
    return f"{value:.6g}".replace("-", "−")


def fitting(text: str, *, room: float, size: float = TEXT, face: str = typefaces.REGULAR) -> str:
    """Shorten a text to the room, with an ellipsis to show it."""
    if typefaces.width(typefaces.composed(text), face=face, size=size) <= room:
        return text
    lines = typefaces.wrapped(text, face=face, size=size, room=max(room - size, size * 2))
    return f"{lines[0]}…"
