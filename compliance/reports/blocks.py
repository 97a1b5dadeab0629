"""Draw the blocks of a section: text, facts, charts, findings."""

from compliance.reports import cells, manifestation, palette, tables, typefaces
from compliance.reports.document import (
    Block,
    Chart,
    Fact,
    Facts,
    Finding,
    Paragraph,
    Severity,
    SignatureBlock,
    Table,
)
from compliance.reports.pages import Pages
from compliance.reports.paper import Style

BODY = Style(8.8, leading=1.45)
LABEL = Style(8.0, colour=palette.QUIET)
VALUE = Style(8.2, leading=1.38)
CAPTION = Style(7.4, colour=palette.QUIET)
FINDING = Style(9.0, face=typefaces.BOLD)
LABELS = 130.0
INSET = 12.0
EVIDENCE = 110.0
SHRUNK = 0.78


def least(block: Block, *, pages: Pages) -> float:
    """Give the height below which the block would rather begin on a new page."""
    match block:
        case Table():
            return tables.least(block, pages=pages)
        case SignatureBlock():
            return manifestation.least(block, pages=pages)
        case Chart():
            return _chart_height(block, pages=pages)
        case Finding():
            return FINDING.line * 2 + BODY.line * 2
        case Facts():
            return VALUE.line * min(len(block.facts), 3)
        case Paragraph():
            return BODY.line * 2


def draw(block: Block, *, pages: Pages) -> None:
    """Draw any block."""
    match block:
        case Table():
            tables.draw(block, pages=pages)
        case SignatureBlock():
            manifestation.draw(block, pages=pages)
        case Chart():
            _draw_chart(block, pages=pages)
        case Finding():
            _draw_finding(block, pages=pages)
        case Facts():
            draw_facts(block.facts, pages=pages)
        case Paragraph():
            _draw_text(block.text, pages=pages, style=BODY, indent=0)
            pages.y -= 6


def draw_facts(
    facts: tuple[Fact, ...], *, pages: Pages, indent: float = 0, labels: float = LABELS
) -> None:
    """Draw labels with their values beside them, and the notes of changed values beneath."""
    notes: list[str] = []
    left = pages.left + indent
    room = pages.width - indent - labels
    for fact in facts:
        names = typefaces.wrapped(fact.label, face=LABEL.face, size=LABEL.size, room=labels - 10)
        value = cells.lines(fact.value, style=VALUE, room=room, pages=pages, notes=notes)
        for number in range(max(len(names), len(value))):
            pages.need(VALUE.line)
            pages.y -= VALUE.line
            if number < len(names):
                pages.paper.text(left, pages.y + 3, names[number], style=LABEL)
            if number < len(value):
                cells.draw(pages, value[number], x=left + labels, y=pages.y + 3)
    pages.y -= 4
    cells.draw_notes(pages, notes)
    pages.y -= 4


def _draw_text(text: str, *, pages: Pages, style: Style, indent: float) -> None:
    room = pages.width - indent
    for line in typefaces.wrapped(text, face=style.face, size=style.size, room=room):
        pages.need(style.line)
        pages.y -= style.line
        pages.paper.text(pages.left + indent, pages.y + 3, line, style=style)


def _chart_height(chart: Chart, *, pages: Pages, scale: float | None = None) -> float:
    drawing = chart.drawing
    high = drawing.height * (scale or SHRUNK * _scale(chart, pages=pages))
    lines = typefaces.wrapped(chart.caption, face=CAPTION.face, size=CAPTION.size, room=pages.width)
    return high + (len(lines) * CAPTION.line if chart.caption else 0) + 8


def _scale(chart: Chart, *, pages: Pages) -> float:
    return min(pages.width / chart.drawing.width, (pages.body - 60) / chart.drawing.height)


def _draw_chart(chart: Chart, *, pages: Pages) -> None:
    drawing, scale = chart.drawing, _scale(chart, pages=pages)
    pages.need(_chart_height(chart, pages=pages))
    over = _chart_height(chart, pages=pages, scale=scale) - pages.room
    # A little smaller is better than a page whose last third is empty.
    scale -= max(over, 0) / drawing.height
    pages.y -= drawing.height * scale
    pages.paper.draw(drawing, x=pages.left, y=pages.y, width=drawing.width * scale)
    if chart.caption:
        _draw_text(chart.caption, pages=pages, style=CAPTION, indent=0)
    pages.y -= 8


def _draw_finding(finding: Finding, *, pages: Pages) -> None:
    pages.need(least(finding, pages=pages))
    grave = finding.severity is not Severity.OTHER
    colour = palette.ALARM if grave else palette.ACCENT
    y = pages.y - FINDING.line
    grade = Style(FINDING.size, face=typefaces.BOLD, colour=colour)
    x = pages.left
    x += pages.paper.text(x, y + 3, finding.severity.value.upper(), style=grade) + INSET
    x += pages.paper.text(x, y + 3, finding.number, style=FINDING) + INSET
    pages.y = y
    room = pages.right - x
    clause = typefaces.wrapped(finding.clause, face=LABEL.face, size=LABEL.size, room=room)
    for number, line in enumerate(clause):
        pages.y -= LABEL.line if number else 0
        pages.paper.text(x, pages.y + 3, line, style=LABEL)
    pages.paper.line([(pages.left, pages.y - 2), (pages.right, pages.y - 2)], colour=colour)
    pages.y -= 5
    _draw_text(finding.text, pages=pages, style=BODY, indent=INSET)
    pages.y -= 2
    if finding.evidence:
        draw_facts(finding.evidence, pages=pages, indent=INSET, labels=EVIDENCE)
    pages.y -= 4
