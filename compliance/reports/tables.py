"""Draw tables row by row: hairlines, repeated headings, no text lost at a page's end."""

from collections.abc import Iterator
from dataclasses import dataclass

from compliance.reports import cells, palette, typefaces
from compliance.reports.cells import Line
from compliance.reports.document import Align, Table
from compliance.reports.pages import Pages
from compliance.reports.paper import Style

CELL = Style(7.8, leading=1.3)
HEAD = Style(7.4, face=typefaces.BOLD, colour=palette.ACCENT, leading=1.25)
CAPTION = Style(8.2, face=typefaces.BOLD, leading=1.5)
EMPTY = Style(7.8, face=typefaces.ITALIC, colour=palette.QUIET)
GUTTER = 9.0
PAD = 2.4
ROW_AT_LEAST = 60.0
# Columns are as wide as their longest word, as far as the first rows show it and the page has room.
ROWS_LOOKED_AT, WORD_AT_MOST = 200, 0.3


@dataclass(frozen=True)
class Slot:
    """Place a column on the page."""

    x: float
    width: float
    align: Align


def least(table: Table, *, pages: Pages) -> float:
    """Give the height that caption, headings and a first row want to stay together."""
    slots = _slots(table, pages)
    caption = CAPTION.line + 2 if table.caption else 0
    first = _row(table, pages, slots, 0, notes=[], is_trial=True) if table.rows else []
    row = min(max(_height(first, CELL), 14), ROW_AT_LEAST)
    return caption + _height(_head(table, slots), HEAD) + row


def draw(table: Table, *, pages: Pages) -> None:
    """Draw a table over as many pages as it takes."""
    slots, notes = _slots(table, pages), list[str]()
    pages.need(least(table, pages=pages))
    if table.caption:
        for line in typefaces.wrapped(
            table.caption, face=CAPTION.face, size=CAPTION.size, room=pages.width
        ):
            pages.y -= CAPTION.line
            pages.paper.text(pages.left, pages.y + 3, line, style=CAPTION)
        pages.y -= 2
    head = _head(table, slots)
    _draw_head(pages, head, slots)
    if not table.rows:
        pages.y -= 14
        pages.paper.text(pages.left, pages.y + 3.5, "none recorded", style=EMPTY)
        _rule(pages)
    for index in range(len(table.rows)):
        _draw_row(pages, _row(table, pages, slots, index, notes=notes), slots, head)
    pages.y -= 4
    cells.draw_notes(pages, notes)
    pages.y -= 6


def _slots(table: Table, pages: Pages) -> list[Slot]:
    room = pages.width - GUTTER * (len(table.columns) - 1)
    share = room / sum(column.weight for column in table.columns)
    widths = _widths(
        [column.weight * share for column in table.columns],
        [min(_longest(table, number), room * WORD_AT_MOST) for number in range(len(table.columns))],
    )
    slots, x = [], pages.left
    for column, width in zip(table.columns, widths, strict=True):
        slots.append(Slot(x, width, column.align))
        x += width + GUTTER
    return slots


def _widths(wanted: list[float], needed: list[float]) -> list[float]:
    """Widen columns to what they need, by what others can spare; their sum stays."""
    lacking = [max(need - want, 0.0) for want, need in zip(wanted, needed, strict=True)]
    spare = [max(want - need, 0.0) for want, need in zip(wanted, needed, strict=True)]
    given = min(sum(lacking), sum(spare))
    if not given:
        return wanted
    return [
        want + given * (lack / sum(lacking) - over / sum(spare))
        for want, lack, over in zip(wanted, lacking, spare, strict=True)
    ]


def _longest(table: Table, column: int) -> float:
    """Measure the longest word of a column, its heading included."""
    head = max(_words(table.columns[column].heading, HEAD), default=0.0)
    values = (row[column] for row in table.rows[:ROWS_LOOKED_AT])
    return max(head, *(one for value in values for one in _words(cells.shown(value), CELL)), 0.0)


def _words(text: str, style: Style) -> Iterator[float]:
    for word in typefaces.composed(text).split():
        yield typefaces.width(word, face=style.face, size=style.size) + 0.01  # against rounding


def _head(table: Table, slots: list[Slot]) -> list[list[Line]]:
    return [
        [
            [cells.Piece(text, HEAD)]
            for text in typefaces.wrapped(
                column.heading, face=HEAD.face, size=HEAD.size, room=slot.width
            )
        ]
        for column, slot in zip(table.columns, slots, strict=True)
    ]


def _row(
    table: Table,
    pages: Pages,
    slots: list[Slot],
    index: int,
    *,
    notes: list[str],
    is_trial: bool = False,
) -> list[list[Line]]:
    before = pages.changes
    found = [
        cells.lines(value, style=CELL, room=slot.width, pages=pages, notes=notes)
        for value, slot in zip(table.rows[index], slots, strict=True)
    ]
    if is_trial:
        pages.changes = before
    return found


def _height(row: list[list[Line]], style: Style) -> float:
    return max((len(cell) for cell in row), default=0) * style.line + 2 * PAD


def _draw_head(pages: Pages, head: list[list[Line]], slots: list[Slot]) -> None:
    _draw_lines(pages, head, slots, HEAD)
    pages.paper.line(
        [(pages.left, pages.y), (pages.right, pages.y)], colour=palette.ACCENT, thickness=0.9
    )


def _draw_row(
    pages: Pages, row: list[list[Line]], slots: list[Slot], head: list[list[Line]]
) -> None:
    top = _height(head, HEAD)
    if _height(row, CELL) > pages.room and _height(row, CELL) <= pages.body - top:
        pages.turn()
        _draw_head(pages, head, slots)
    while any(row):
        fits = int((pages.room - 2 * PAD) // CELL.line)
        if fits < 1:
            pages.turn()
            _draw_head(pages, head, slots)
            # A head that fills the page by itself must not keep its rows from being drawn.
            fits = max(int((pages.room - 2 * PAD) // CELL.line), 1)
        _draw_lines(pages, [cell[:fits] for cell in row], slots, CELL)
        row = [cell[fits:] for cell in row]
    _rule(pages)


def _draw_lines(pages: Pages, row: list[list[Line]], slots: list[Slot], style: Style) -> None:
    top = pages.y - PAD
    for cell, slot in zip(row, slots, strict=True):
        for number, line in enumerate(cell):
            x = slot.x
            if slot.align is Align.RIGHT:
                x += slot.width - cells.width(line)
            y = top - style.line * (number + 1) + style.line - style.size
            cells.draw(pages, line, x=x, y=y)
    pages.y -= _height(row, style)


def _rule(pages: Pages) -> None:
    pages.paper.line([(pages.left, pages.y), (pages.right, pages.y)], thickness=0.35)
