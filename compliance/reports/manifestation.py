"""Draw electronic signatures as 21 CFR 11.50 wants them shown."""

from compliance.reports import moments, palette, typefaces
from compliance.reports.document import SignatureBlock
from compliance.reports.pages import Pages
from compliance.reports.paper import Style

NAME = Style(9.6, face=typefaces.BOLD)
BODY = Style(8.0, leading=1.35)
QUIET = Style(7.0, colour=palette.QUIET)
STALE = Style(8.0, face=typefaces.BOLD, colour=palette.ALARM)
INSET = 12.0
LABELS = 92.0


def _rows(signature: SignatureBlock) -> tuple[tuple[str, str], ...]:
    rows = (
        ("Meaning", signature.meaning),
        ("Date and time", moments.written(signature.signed_at)),
        ("Role", signature.role),
        ("Confirmed by", signature.means),
        ("Record digest", signature.digest),
    )
    return tuple(row for row in rows if row[1])


def _wrapped(pages: Pages, text: str, style: Style, *, indent: float) -> list[str]:
    room = pages.width - INSET - indent
    return typefaces.wrapped(text, face=style.face, size=style.size, room=room)


def _standing(pages: Pages, signature: SignatureBlock) -> list[str]:
    """Say what is wrong; nothing beside a signature that covers the record."""
    return [] if signature.is_current else _wrapped(pages, signature.standing, STALE, indent=0)


def _title(signature: SignatureBlock) -> str:
    return f"{signature.printed_name} ({signature.username})"


def least(signature: SignatureBlock, *, pages: Pages) -> float:
    """Give the height of the whole block: a manifestation is never split."""
    count = sum(len(_wrapped(pages, text, BODY, indent=LABELS)) for _, text in _rows(signature))
    count += len(_standing(pages, signature))
    name = len(_wrapped(pages, _title(signature), NAME, indent=0))
    return QUIET.line + name * NAME.line + count * BODY.line + 18


def draw(signature: SignatureBlock, *, pages: Pages) -> None:
    """Draw printed name, meaning, date and time with zone, role and what was signed."""
    height = least(signature, pages=pages)
    pages.need(height)
    colour = palette.ACCENT if signature.is_current else palette.ALARM
    pages.paper.fill(pages.left, pages.y - height + 8, 2.4, height - 10, colour=colour)
    x, y = pages.left + INSET, pages.y - 4
    y -= QUIET.line
    pages.paper.text(x, y + 3, "Electronically signed by", style=QUIET)
    for line in _wrapped(pages, _title(signature), NAME, indent=0):
        y -= NAME.line
        pages.paper.text(x, y + 3, line, style=NAME)
    for line in _standing(pages, signature):
        y -= BODY.line
        pages.paper.text(x, y + 3, line, style=STALE)
    for label, text in _rows(signature):
        for number, line in enumerate(_wrapped(pages, text, BODY, indent=LABELS)):
            y -= BODY.line
            if number == 0:
                pages.paper.text(x, y + 3, label, style=QUIET)
            pages.paper.text(x + LABELS, y + 3, line, style=BODY)
    pages.y -= height
