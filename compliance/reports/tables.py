"""Draw tables row by row: hairlines, repeated headings, no text lost at a page's end."""

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
    share = (pages.width - GUTTER * (len(table.columns) - 1)) / sum(
        column.weight for column in table.columns
    )
    slots, x = [], pages.left
    for column in table.columns:
        slots.append(Slot(x, column.weight * share, column.align))
        x += column.weight * share + GUTTER
    return slots


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
