"""Draw a plot within its frame: axes, forecast, limits, events, curves, legend."""

from compliance.reports import downsampling, frames, palette, scales, typefaces
from compliance.reports.drawing import Area, Dot, Drawing, Label, Path, Point, Shape
from compliance.reports.frames import Frame, Trace

DASHES: tuple[tuple[float, ...], ...] = ((), (4, 1.6), (1.2, 1.4))


class Plot:
    """Collect the shapes of one plot."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        self.shapes: list[Shape] = []

    def drawing(self) -> Drawing:
        """Draw everything from back to front."""
        self._axes()
        self._forecast()
        self._limits()
        self._marks()
        for number, trace in enumerate(self.frame.lines):
            self._trace(trace, number)
        self._legend()
        return Drawing(
            width=self.frame.width,
            height=self.frame.total_height,
            title=self.frame.title,
            description=self.frame.description,
            shapes=tuple(self.shapes),
        )

    def _place(self, points: list[Point]) -> tuple[Point, ...]:
        buckets = max(int(self.frame.right - self.frame.left), 1)
        kept = downsampling.min_max(points, buckets=buckets)
        return tuple((self.frame.at_x(x), self.frame.at_y(y)) for x, y in kept)

    def _text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        fill: str = palette.QUIET,
        anchor: str = "start",
    ) -> None:
        self.shapes.append(Label(x=x, y=y, text=text, size=frames.TEXT, fill=fill, anchor=anchor))

    def _axes(self) -> None:
        title = f"{self.frame.title} [{self.frame.unit}]" if self.frame.unit else self.frame.title
        self.shapes.append(
            Label(
                x=0,
                y=self.frame.total_height - frames.TITLE,
                text=frames.fitting(
                    title, room=self.frame.width, size=frames.TITLE, face=typefaces.BOLD
                ),
                size=frames.TITLE,
                fill=palette.INK,
                is_bold=True,
            )
        )
        for tick in self.frame.y_ticks:
            y = self.frame.at_y(tick.value)
            self._line(
                [(self.frame.left, y), (self.frame.right, y)], stroke=palette.FAINT, width=0.6
            )
            self._text(self.frame.left - 4, y - 2.4, tick.text, anchor="end")
        if self.frame.data or self.frame.marks:
            self._x_axis()
        else:
            middle = (self.frame.left + self.frame.right) / 2
            self._text(middle, self.frame.bottom + 5, "no readings recorded", anchor="middle")
        self._line(
            [(self.frame.left, self.frame.bottom), (self.frame.right, self.frame.bottom)],
            stroke=palette.QUIET,
        )
        self._text(self.frame.right, 2, self.frame.x_label, anchor="end")

    def _x_axis(self) -> None:
        choose = scales.moments if self.frame.is_dated else scales.numbers
        end = -1e9
        for tick in choose(*self.frame.x, about=6):
            x = self.frame.at_x(tick.value)
            self._line([(x, self.frame.bottom), (x, self.frame.bottom - 2.5)], stroke=palette.QUIET)
            half = frames.wide(tick.text) / 2
            middle = min(max(x, half), self.frame.width - half)
            if middle - half > end + 5:
                self._text(middle, self.frame.bottom - 10, tick.text, anchor="middle")
                end = middle + half

    def _forecast(self) -> None:
        for stretch in self.frame.forecast:
            if len(stretch.low) > 1:
                outline = (*self._place(stretch.low), *reversed(self._place(stretch.high)))
                self.shapes.append(Area(points=outline, fill=palette.BAND))
            self._line(self._place(stretch.median), stroke=palette.ACCENT, width=0.9, dash=(3, 2))
        for stretch in self.frame.beside:
            for curve in (stretch.low, stretch.high):
                self._line(self._place(curve), stroke=palette.BESIDE, width=0.6, dash=(1.2, 1.4))
            self._line(self._place(stretch.median), stroke=palette.BESIDE, width=0.9, dash=(3, 2))

    def _limits(self) -> None:
        floor = self.frame.bottom - frames.LANE
        texts = sorted(self.frame.limit_texts, key=lambda item: item[1])
        for text, value in texts:
            y = self.frame.at_y(value)
            self._line(
                [(self.frame.left, y), (self.frame.right, y)],
                stroke=palette.ALARM,
                width=0.7,
                dash=(5, 2),
            )
            # Labels of limits that lie close together are moved apart upwards.
            floor = max(y - 2.4, floor + frames.LANE)
            self._text(self.frame.right + 4, floor, text, fill=palette.ALARM)

    def _marks(self) -> None:
        for flag in self.frame.flags:
            lane = min(flag.lane, frames.LANES_AT_MOST - 1)
            y = self.frame.top + frames.LANE * lane
            line = [(flag.x, self.frame.bottom), (flag.x, y + frames.LANE - 2)]
            self._line(line, stroke=palette.QUIET, dash=(1, 1.5))
            if lane == flag.lane:
                self._text(flag.left, y + 2.5, flag.text, fill=palette.INK)

    def _trace(self, trace: Trace, number: int) -> None:
        for segment in trace.segments:
            points = self._place(segment)
            if len(points) == 1:
                dot = Dot(x=points[0][0], y=points[0][1], radius=1.5, fill=_colour(number))
                self.shapes.append(dot)
            else:
                self._line(points, stroke=_colour(number), width=1.0, dash=_dash(number))

    def _legend(self) -> None:
        y = self.frame.total_height - frames.TITLE - frames.LEGEND
        for row in self.frame.legend:
            x = 0.0
            for entry in row:
                begin = x if entry.number == frames.EVENT else x + 18
                self._sample(entry.number, x, y)
                shown = frames.fitting(entry.text, room=self.frame.width - 24)
                self._text(begin, y, shown, fill=palette.INK)
                x += entry.width
            y -= frames.LEGEND

    def _sample(self, number: int, x: float, y: float) -> None:
        if number == frames.EVENT:
            return
        if number == frames.FORECAST:
            corners = ((x, y - 1), (x + 14, y - 1), (x + 14, y + 6), (x, y + 6))
            self.shapes.append(Area(points=corners, fill=palette.BAND))
        dash = (3, 2) if number in (frames.FORECAST, frames.BESIDE) else _dash(number)
        self._line([(x, y + 2.4), (x + 14, y + 2.4)], stroke=_colour(number), dash=dash)

    def _line(
        self,
        points: list[Point] | tuple[Point, ...],
        *,
        stroke: str,
        width: float = 0.5,
        dash: tuple[float, ...] = (),
    ) -> None:
        self.shapes.append(Path(points=tuple(points), stroke=stroke, width=width, dash=dash))


def _colour(number: int) -> str:
    if number == frames.BESIDE:
        return palette.BESIDE
    return palette.SERIES[max(number, 0) % len(palette.SERIES)]


def _dash(number: int) -> tuple[float, ...]:
    return DASHES[number // len(palette.SERIES) % len(DASHES)]
