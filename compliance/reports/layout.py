"""Draw a described document as PDF, ready to be sealed."""

import hashlib

from compliance.reports import blocks, embedding, how_to_verify, moments, palette, typefaces
from compliance.reports.document import Attachment, Document, Fact, Section, Tile, Tone
from compliance.reports.pages import Pages
from compliance.reports.paper import Style

TITLE = Style(19.0, face=typefaces.BOLD, leading=1.25)
SUBTITLE = Style(10.5, colour=palette.QUIET)
HEADING = Style(12.0, face=typefaces.BOLD, colour=palette.ACCENT)
VERDICT = Style(11.5, face=typefaces.BOLD, leading=1.25)
TILE_LABEL = Style(7.2, colour=palette.QUIET, leading=1.3)
TILE_GAP = 8.0
TILE_PAD = 9.0
TILES_A_ROW = 4
SEAL_WIDTH, SEAL_HEIGHT = 236.0, 62.0
TONES = {Tone.GOOD: palette.ACCENT, Tone.BAD: palette.ALARM, Tone.NEUTRAL: palette.INK}


def draw(document: Document) -> bytes:
    """Draw a document; raise GlyphMissing for a character that cannot be printed."""
    pages = Pages(document)
    _title(pages)
    _tiles(pages)
    if document.facts:
        blocks.draw_facts(document.facts, pages=pages)
    for section in document.sections:
        _section(pages, section)
    _verification(pages)
    embedding.attach(pages.paper, document.attachments)
    return pages.finished()


def _title(pages: Pages) -> None:
    for text, style in ((pages.document.title, TITLE), (pages.document.subtitle, SUBTITLE)):
        if not text:
            continue
        for line in typefaces.wrapped(text, face=style.face, size=style.size, room=pages.width):
            pages.need(style.line)
            pages.y -= style.line
            pages.paper.text(pages.left, pages.y + 4, line, style=style)
    pages.y -= 10


def _tiles(pages: Pages) -> None:
    tiles = pages.document.verdicts
    for start in range(0, len(tiles), TILES_A_ROW):
        row = tiles[start : start + TILES_A_ROW]
        across = min(len(tiles), TILES_A_ROW)
        wide = (pages.width - TILE_GAP * (across - 1)) / across
        high = max(_tile_height(tile, wide) for tile in row)
        pages.need(high + TILE_GAP)
        for number, tile in enumerate(row):
            _tile(pages, tile, x=pages.left + number * (wide + TILE_GAP), wide=wide, high=high)
        pages.y -= high + TILE_GAP
    pages.y -= 6 if tiles else 0


def _tile_lines(tile: Tile, wide: float) -> list[tuple[str, Style]]:
    verdict = Style(
        VERDICT.size, face=VERDICT.face, colour=TONES[tile.tone], leading=VERDICT.leading
    )
    parts = ((tile.label, TILE_LABEL), (tile.verdict, verdict), (tile.note, TILE_LABEL))
    return [
        (line, style)
        for text, style in parts
        if text
        for line in typefaces.wrapped(
            text, face=style.face, size=style.size, room=wide - 2 * TILE_PAD
        )
    ]


def _tile_height(tile: Tile, wide: float) -> float:
    return sum(style.line for _, style in _tile_lines(tile, wide)) + 2 * TILE_PAD - 2


def _tile(pages: Pages, tile: Tile, *, x: float, wide: float, high: float) -> None:
    pages.paper.fill(x, pages.y - high, wide, high, colour=palette.FAINT)
    pages.paper.fill(x, pages.y - 2.4, wide, 2.4, colour=TONES[tile.tone])
    y = pages.y - TILE_PAD
    for line, style in _tile_lines(tile, wide):
        y -= style.line
        pages.paper.text(x + TILE_PAD, y + 3, line, style=style)


def _section(pages: Pages, section: Section) -> None:
    _heading(
        pages,
        section.heading,
        keep=blocks.least(section.blocks[0], pages=pages) if section.blocks else 14,
    )
    if not section.blocks:
        pages.y -= 14
        style = Style(8.2, face=typefaces.ITALIC, colour=palette.QUIET)
        pages.paper.text(pages.left, pages.y + 3, "none recorded", style=style)
    for block in section.blocks:
        blocks.draw(block, pages=pages)


def _heading(pages: Pages, text: str, *, keep: float) -> None:
    lines = typefaces.wrapped(text, face=HEADING.face, size=HEADING.size, room=pages.width)
    pages.need(10 + len(lines) * HEADING.line + 4 + keep)
    pages.y -= 10
    for line in lines:
        pages.y -= HEADING.line
        pages.paper.text(pages.left, pages.y + 4, line, style=HEADING)
    pages.y -= 4


def _verification(pages: Pages) -> None:
    document = pages.document
    facts = (
        Fact("Record digest (SHA-256)", document.digest),
        Fact("Audit trail tree size", str(document.tree_size)),
        Fact("Generated", moments.written(document.generated_at)),
        Fact("Code on each page", document.verify_url or document.verify_text),
        *(_attached(attachment) for attachment in document.attachments),
    )
    _heading(pages, "Verification", keep=60)
    blocks.draw_facts(facts, pages=pages)
    _heading(pages, "How to verify", keep=60)
    for step in how_to_verify.steps(document):
        blocks.draw(step, pages=pages)
    pages.need(SEAL_HEIGHT + 24)
    x, y = pages.left, pages.y - SEAL_HEIGHT - 14
    pages.paper.text(
        x, y + SEAL_HEIGHT + 5, "Seal of the system (no person's signature)", style=TILE_LABEL
    )
    corners = [(x, y), (x + SEAL_WIDTH, y), (x + SEAL_WIDTH, y + SEAL_HEIGHT)]
    pages.paper.line([*corners, (x, y + SEAL_HEIGHT), (x, y)])
    embedding.add_seal_field(
        pages.paper, x=x + 1, y=y + 1, width=SEAL_WIDTH - 2, height=SEAL_HEIGHT - 2
    )
    pages.y = y


def _attached(attachment: Attachment) -> Fact:
    digest = hashlib.sha256(attachment.data).hexdigest()
    return Fact(
        "Attached file",
        f"{attachment.name} ({attachment.media_type}, {len(attachment.data)} bytes):"
        f" {attachment.description}\nSHA-256 {digest}",
    )
