"""Put marks on a PDF page: text in the right font, lines, fills, drawings."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from io import BytesIO
from typing import Any

from reportlab import rl_config
from reportlab.lib.colors import HexColor
from reportlab.lib.utils import TimeStamp
from reportlab.pdfgen.canvas import Canvas

from compliance.reports import palette, typefaces
from compliance.reports.drawing import Area, Dot, Drawing, Label, Path, Point

# Text armour that no reader needs: in Python it takes a quarter of the time, and of the file.
rl_config.useA85 = 0
# Subsetting moves a read position inside the shared font objects.
_SAVING = threading.Lock()


@dataclass(frozen=True)
class Style:
    """Say how text looks; lengths are in points."""

    size: float
    face: str = typefaces.REGULAR
    colour: str = palette.INK
    leading: float = 1.36

    @property
    def line(self) -> float:
        """Give the height of one line."""
        return self.size * self.leading


class Paper:
    """Hold one PDF in the making; the same marks give the same bytes."""

    def __init__(self, *, size: tuple[float, float], at: datetime, language: str = "en") -> None:
        self.width, self.height = size
        self._bytes = BytesIO()
        self.canvas: Any = Canvas(
            self._bytes,
            pagesize=size,
            invariant=1,
            pageCompression=1,
            pdfVersion=(1, 7),
            lang=language,
            # Any other would name a font that is not embedded.
            initialFontName=typefaces.registered(),
        )
        self.canvas._doc._timeStamp = _Fixed(at)

    def describe(self, *, title: str, author: str, subject: str, keywords: str) -> None:
        """Set what a viewer shows as the document's properties."""
        self.canvas.setTitle(title)
        self.canvas.setAuthor(author)
        self.canvas.setSubject(subject)
        self.canvas.setKeywords(keywords)
        self.canvas.setCreator(author)
        self.canvas.setViewerPreference("DisplayDocTitle", "true")

    def text(self, x: float, y: float, text: str, *, style: Style, anchor: str = "start") -> float:
        """Write one line and give its width."""
        text = typefaces.composed(text)
        wide = typefaces.width(text, face=style.face, size=style.size)
        if not text:
            return wide
        x -= {"start": 0.0, "middle": wide / 2, "end": wide}[anchor]
        line = self.canvas.beginText(x, y)
        line.setFillColor(_colour(style.colour))
        for font, piece in typefaces.runs(text, face=style.face):
            line.setFont(font, style.size)
            line.textOut(piece)
        self.canvas.drawText(line)
        return wide

    def line(
        self,
        points: Sequence[Point],
        *,
        colour: str = palette.HAIRLINE,
        thickness: float = 0.5,
        dash: Sequence[float] = (),
    ) -> None:
        """Draw straight lines through points."""
        self.canvas.setStrokeColor(_colour(colour))
        self.canvas.setLineWidth(thickness)
        self.canvas.setLineJoin(1)
        self.canvas.setDash(list(dash))
        path = self.canvas.beginPath()
        path.moveTo(*points[0])
        for point in points[1:]:
            path.lineTo(*point)
        self.canvas.drawPath(path, stroke=1, fill=0)

    def fill(self, x: float, y: float, width: float, height: float, *, colour: str) -> None:
        """Fill a rectangle."""
        self.canvas.setFillColor(_colour(colour))
        self.canvas.rect(x, y, width, height, stroke=0, fill=1)

    def draw(self, drawing: Drawing, *, x: float, y: float, width: float) -> None:
        """Draw a drawing with its lower left corner at (x, y), scaled to the width."""
        self.canvas.saveState()
        self.canvas.translate(x, y)
        self.canvas.scale(width / drawing.width, width / drawing.width)
        for shape in drawing.shapes:
            match shape:
                case Path():
                    self.line(
                        shape.points, colour=shape.stroke, thickness=shape.width, dash=shape.dash
                    )
                case Area():
                    self._area(shape)
                case Dot():
                    self.canvas.setFillColor(_colour(shape.fill))
                    self.canvas.circle(shape.x, shape.y, shape.radius, stroke=0, fill=1)
                case Label():
                    face = typefaces.BOLD if shape.is_bold else typefaces.REGULAR
                    style = Style(shape.size, face=face, colour=shape.fill)
                    self.text(shape.x, shape.y, shape.text, style=style, anchor=shape.anchor)
        self.canvas.restoreState()

    def _area(self, area: Area) -> None:
        self.canvas.setFillColor(_colour(area.fill))
        path = self.canvas.beginPath()
        path.moveTo(*area.points[0])
        for point in area.points[1:]:
            path.lineTo(*point)
        path.close()
        self.canvas.drawPath(path, stroke=0, fill=1)

    def finished(self) -> bytes:
        """Close the file and give its bytes."""
        with _SAVING:
            self.canvas.save()
        return self._bytes.getvalue()


@lru_cache(maxsize=64)
def _colour(name: str) -> Any:
    # Parsing a colour costs more than writing a line of text with it.
    return HexColor(name)


class _Fixed(TimeStamp):  # type: ignore[misc]
    """Give reportlab a moment of ours instead of the clock's."""

    def __init__(self, at: datetime) -> None:
        moment = at.astimezone(UTC)
        self.t = moment.timestamp()
        self.lt = moment.timetuple()
        self.YMDhms = tuple(self.lt)[:6]
        self.dhh = self.dmm = 0
        self.tzname = "UTC"
