"""Lay out one value in a width: plain, or struck through with its successor and a mark."""

from collections.abc import Sequence
from dataclasses import dataclass

from compliance.reports import moments, palette, typefaces
from compliance.reports.document import ChangedValue, Value
from compliance.reports.pages import Pages
from compliance.reports.paper import Style

MARK = "Δ"
NOTE = Style(7.0, colour=palette.QUIET)


@dataclass(frozen=True)
class Piece:
    """Hold text of one look within a line."""

    text: str
    style: Style
    is_struck: bool = False
    rise: float = 0.0

    @property
    def width(self) -> float:
        """Measure the piece in points."""
        return typefaces.width(self.text, face=self.style.face, size=self.style.size)


Line = list[Piece]


def lines(value: Value, *, style: Style, room: float, pages: Pages, notes: list[str]) -> list[Line]:
    """Break a value into lines, and note every change it shows (EU GMP Annex 11, 8.2)."""
    if isinstance(value, str):
        return [[Piece(text, style)] for text in _wrapped(value, style=style, room=room)]
    earlier = (
        _struck(value.old, style=style, room=room)
        if isinstance(value.old, str)
        else [
            [Piece(p.text, p.style, is_struck=p.rise == 0, rise=p.rise) for p in line]
            for line in lines(value.old, style=style, room=room, pages=pages, notes=notes)
        ]
    )
    pages.changes += 1
    mark = Piece(
        f" {MARK}{pages.changes}",
        Style(style.size * 0.78, face=typefaces.BOLD, colour=palette.ACCENT),
        rise=style.size * 0.25,
    )
    notes.append(_note(value, number=pages.changes))
    now = [[Piece(text, style)] for text in _wrapped(value.new, style=style, room=room)]
    if width(now[-1]) + mark.width <= room:
        now[-1].append(mark)
    else:
        now.append([mark])
    space = Piece("  ", style)
    if len(now) == 1 and width(earlier[-1]) + space.width + width(now[0]) <= room:
        return [*earlier[:-1], [*earlier[-1], space, *now[0]]]
    return [*earlier, *now]


def shown(value: Value) -> str:
    """Return the words of a value as they are now, without those before a change."""
    return value if isinstance(value, str) else value.new


def width(line: Line) -> float:
    """Measure a line in points."""
    return sum(piece.width for piece in line)


def draw(pages: Pages, line: Line, *, x: float, y: float) -> None:
    """Write a line with its left end and baseline at (x, y)."""
    for piece in line:
        wide = pages.paper.text(x, y + piece.rise, piece.text, style=piece.style)
        if piece.is_struck:
            middle = y + piece.style.size * 0.28
            pages.paper.line([(x, middle), (x + wide, middle)], colour=palette.ALARM, thickness=0.7)
        x += wide


def draw_notes(pages: Pages, notes: Sequence[str]) -> None:
    """Write the footnotes of changed values beneath what showed them."""
    for note in notes:
        for text in _wrapped(note, style=NOTE, room=pages.width):
            pages.need(NOTE.line)
            pages.y -= NOTE.line
            pages.paper.text(pages.left, pages.y + 2, text, style=NOTE)
    if notes:
        pages.y -= 4


def _note(value: ChangedValue, *, number: int) -> str:
    old = value.old if isinstance(value.old, str) else value.old.new
    entry = f"; trail entry {value.entry}" if value.entry else ""
    return (
        f"{MARK}{number} was {old or '(empty)'}, now {value.new or '(empty)'}"
        f" ({value.who}, {moments.written(value.when)}: {value.why}){entry}"
    )


def _struck(text: str, *, style: Style, room: float) -> list[Line]:
    quiet = Style(style.size, face=style.face, colour=palette.QUIET, leading=style.leading)
    shown = text or "(empty)"
    return [
        [Piece(line, quiet, is_struck=True)] for line in _wrapped(shown, style=quiet, room=room)
    ]


def _wrapped(text: str, *, style: Style, room: float) -> list[str]:
    return typefaces.wrapped(text, face=style.face, size=style.size, room=room)
