"""Mark the words that differ between two texts, and what the eye would not see of them."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

Mark = Literal["same", "removed", "added"]
# A number stays one word with its sign, decimals and unit: 12.5 mg/L to 12.50 mg/L is one change.
_UNIT = (
    r"(?:[ \u00a0\u2009]?(?:[%‰]|°[CFK]?|(?:[fpnuµμmcdkMG]?(?:g|L|l|mol|m|s|Pa|V|A|W|J|N|Hz|Da|bar)"
    r"|h|min|d|M|K|Cel|rpm|ppm|ppb|IU|AU|CFU|cells)\b(?:[/·.*^]-?[A-Za-zµμ\d]+)*(?![A-Za-z])))?"
)
_WORD = re.compile(
    rf"[-+±<>≤≥]?\d+(?:[.,:]\d+)*(?:[eE][-+]?\d+)?{_UNIT}|\w+|\s+|[^\w\s]", re.UNICODE
)
_UNSEEN = {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}
# Letters, signs and marks that show nothing (Default_Ignorable_Code_Point of Unicode, and the empty
# braille pattern); and the bracket that codes stand in, lest somebody write what reads like one.
_SHOWN_AS_CODE = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0\u27e8"
    + "".join(map(chr, [*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)]))
)


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text, and whether it is in both texts or in one."""

    text: str
    mark: Mark


def whole(text: str, mark: Mark) -> tuple[Piece, ...]:
    """Return a text as one piece; none for the empty text."""
    return (Piece(visible(text), mark),) if text else ()


def marked(old: str, new: str, *, most: int) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    """Return both texts in pieces; texts of more than `most` words are compared by the line."""
    before, after = _WORD.findall(old), _WORD.findall(new)
    if len(before) + len(after) > most:
        before, after = old.splitlines(keepends=True), new.splitlines(keepends=True)
    if len(before) + len(after) > most:
        return whole(old, "removed"), whole(new, "added")
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    left: list[Piece] = []
    right: list[Piece] = []
    for tag, old_from, old_to, new_from, new_to in matcher.get_opcodes():
        _add(left, before[old_from:old_to], "same" if tag == "equal" else "removed")
        _add(right, after[new_from:new_to], "same" if tag == "equal" else "added")
    return tuple(left), tuple(right)


def visible(text: str) -> str:
    """Return a text with the characters that show nothing, or turn what is shown, as their code."""
    return "".join(
        f"⟨U+{ord(one):04X}⟩"
        if one in _SHOWN_AS_CODE or (one not in "\n\t\r" and unicodedata.category(one) in _UNSEEN)
        else one
        for one in text
    )


def shortened(pieces: Sequence[Piece], *, around: int = 60, most: int = 360) -> tuple[Piece, ...]:
    """Return what differs with a little of what is around it."""
    made: list[Piece] = []
    room = most
    for number, piece in enumerate(pieces):
        text = piece.text
        if piece.mark == "same" and len(text) > 2 * around:
            head = text[:around] if number else ""
            tail = text[-around:] if number + 1 < len(pieces) else ""
            text = f"{head}…{tail}"
        if len(text) > room:
            return (*made, Piece(f"{text[:room]}…", piece.mark))
        made.append(Piece(text, piece.mark))
        room -= len(text)
    return tuple(made)


def alike(old: Sequence[Piece], new: Sequence[Piece]) -> str:
    """Say which characters differ where two words look the same or nearly so."""
    removed = [piece.text for piece in old if piece.mark == "removed"]
    added = [piece.text for piece in new if piece.mark == "added"]
    for before, after in zip(removed, added, strict=False):
        if len(before) > 1_000 or len(after) > 1_000:
            continue
        if unicodedata.normalize("NFKC", before) == unicodedata.normalize("NFKC", after):
            return f"They look alike and are not: {_codes(before, after)}."
        strange = [(a, b) for a, b in zip(before, after, strict=False) if a != b]
        if len(before) == len(after) and strange and all(_scripts(a, b) for a, b in strange):
            return f"They differ in letters of another alphabet: {_codes(before, after)}."
    return ""


def _scripts(one: str, other: str) -> bool:
    """Tell whether two letters are of different alphabets."""
    if not (one.isalpha() and other.isalpha()):
        return False
    names = [unicodedata.name(letter, "").split(" ")[0] for letter in (one, other)]
    return names[0] != names[1]


def _codes(old: str, new: str) -> str:
    pairs = [(a, b) for a, b in zip(old, new, strict=False) if a != b]
    if not pairs:
        rest = max(old, new, key=len)[min(len(old), len(new)) :]
        return " ".join(f"U+{ord(one):04X}" for one in rest[:5])
    return ", ".join(f"U+{ord(a):04X} and U+{ord(b):04X}" for a, b in pairs[:5])


def _add(pieces: list[Piece], found: Sequence[str], mark: Mark) -> None:
    if found:
        pieces.append(Piece(visible("".join(found)), mark))
