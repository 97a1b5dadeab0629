"""Know the shipped fonts: measure text, wrap it, and choose the font of each character."""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import groupby
from pathlib import Path

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

from compliance.refusals import Refused

FONTS = Path(__file__).parent / "fonts"
REGULAR, BOLD, ITALIC = "Report-Regular", "Report-Bold", "Report-Italic"
FALLBACK = "Report-Fallback"
FILES = {
    REGULAR: "NotoSans-Regular.ttf",
    BOLD: "NotoSans-Bold.ttf",
    ITALIC: "NotoSans-Italic.ttf",
    FALLBACK: "DejaVuSans.ttf",
}
# Indic, Thai, Lao, Tibetan and Burmese need shaping, which is not done here.
SHAPED = (range(0x0900, 0x10A0), range(0x1780, 0x1800), range(0xA8E0, 0xA900))
NEVER_DRAWN = frozenset({"Mn", "Mc", "Me", "Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})
TOKENS = re.compile(r" +|[^ ]+")
# Where a word that is too long may be broken: behind these signs, as in names of tags and addresses.
PARTS = re.compile(r"[^_/\\.,;:@=|)\]⟧-]*[_/\\.,;:@=|)\]⟧-]+|[^_/\\.,;:@=|)\]⟧-]+")


class GlyphMissing(Refused):
    """Refuse text with a character that would come out wrong or not at all."""

    code = "glyph-missing"
    status = 422


class _Advances(dict[str, tuple[float, str]]):
    """Map a character to its advance in thousandths of the size, and to its font."""

    def __init__(self, fonts: tuple[TTFont, ...]) -> None:
        super().__init__()
        self.fonts = fonts

    def __missing__(self, character: str) -> tuple[float, str]:
        code = ord(character)
        if is_drawable(character):
            for font in self.fonts:
                if code in font.face.charToGlyph:
                    found = (float(font.face.charWidths[code]), str(font.fontName))
                    self[character] = found
                    return found
        name = unicodedata.name(character, "no name")
        raise GlyphMissing(f"U+{code:04X} ({name}) cannot be printed; spell it out")


def is_drawable(character: str) -> bool:
    """Say whether a character stands by itself from left to right (a font may still lack it)."""
    return (
        unicodedata.category(character) not in NEVER_DRAWN
        and unicodedata.bidirectional(character) not in RIGHT_TO_LEFT
        and not any(ord(character) in block for block in SHAPED)
    )


def can_print(character: str) -> bool:
    """Say whether the fonts have a glyph for a character, or it is a line feed."""
    if character == "\n":
        return True
    try:
        return all(advances[character] for advances in _advances().values())
    except GlyphMissing:
        return False


@lru_cache(maxsize=1)
def _advances() -> dict[str, _Advances]:
    fonts = {name: TTFont(name, FONTS / file, shapable=False) for name, file in FILES.items()}
    for font in fonts.values():
        pdfmetrics.registerFont(font)
    return {name: _Advances((fonts[name], fonts[FALLBACK])) for name in (REGULAR, BOLD, ITALIC)}


def registered() -> str:
    """Make the fonts known to reportlab and name the one that pages begin with."""
    _advances()
    return REGULAR


def composed(text: str) -> str:
    """Give the text in its canonical composed form, with tabs as spaces and plain line feeds."""
    plain = text.replace("\t", "    ").replace("\r\n", "\n")
    return plain if plain.isascii() else unicodedata.normalize("NFC", plain)


@lru_cache(maxsize=65_536)
def width(text: str, *, face: str, size: float) -> float:
    """Measure composed text in points; raise GlyphMissing for what no font has."""
    advances = _advances()[face]
    return sum(advances[character][0] for character in text) * size / 1000


def runs(text: str, *, face: str) -> Iterator[tuple[str, str]]:
    """Split composed text into (font name, piece) with one font each."""
    advances = _advances()[face]
    for font, piece in groupby(text, key=lambda character: advances[character][1]):
        yield font, "".join(piece)


def wrapped(text: str, *, face: str, size: float, room: float) -> list[str]:
    """Break text into lines that fit the room; a word longer than that is broken inside, behind a sign
    such as `_` or `/` where it has one."""
    lines: list[str] = []
    for paragraph in composed(text).split("\n"):
        if width(paragraph, face=face, size=size) <= room:
            lines.append(paragraph)
        else:
            lines.extend(_broken(paragraph, face=face, size=size, room=room))
    return lines


def _broken(text: str, *, face: str, size: float, room: float) -> Iterator[str]:
    line, used = "", 0.0
    for token in TOKENS.findall(text):
        long = width(token, face=face, size=size)
        if line and used + long > room:
            if token[0] == " ":
                continue
            yield line.rstrip()
            line, used = "", 0.0
        if token[0] == " " and not line:
            continue
        for piece in _pieces(token, face=face, size=size, room=room):
            if line and used + width(piece, face=face, size=size) > room:
                yield line
                line, used = "", 0.0
            line += piece
            used += width(piece, face=face, size=size)
    yield line.rstrip()


def _pieces(word: str, *, face: str, size: float, room: float) -> Iterator[str]:
    if width(word, face=face, size=size) <= room:
        yield word
        return
    piece, used = "", 0.0
    for part in PARTS.findall(word):
        long = width(part, face=face, size=size)
        for step in [part] if long <= room else part:
            taken = long if step is part else width(step, face=face, size=size)
            if piece and used + taken > room:
                yield piece
                piece, used = "", 0.0
            piece, used = piece + step, used + taken
    yield piece
