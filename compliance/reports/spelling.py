"""Spell out the characters that the fonts lack, so that no text is lost and none printed wrongly.

What is spelled out stands between ⟦ and ⟧, and these two, where somebody wrote them, are spelled out
themselves: so nobody can write what reads like it.
"""

import dataclasses
import unicodedata
from itertools import groupby
from typing import Any, TypeVar

from compliance.reports import typefaces
from compliance.reports.drawing import Drawing

T = TypeVar("T")
OPEN, CLOSE = "⟦", "⟧"
MEANING = (
    f"{OPEN}U+1F4DD{CLOSE} stands for one or more characters that the fonts of this document do not "
    "draw, by their numbers in Unicode; the evidence holds the characters themselves."
)


def spelled(value: T) -> T:
    """Return a document, or a part of one, with e.g. U+1F4DD as `⟦U+1F4DD MEMO⟧`, a control character
    as `⟦U+000B⟧` and several in a row as `⟦U+8A18 U+9332⟧`; charts stay as drawn."""
    return _spelled(value)  # type: ignore[no-any-return]


def _spelled(value: Any) -> Any:
    if isinstance(value, str) and type(value) is str:
        if value.isascii() and value.isprintable():
            return value
        groups = groupby(typefaces.composed(value), key=_is_printed)
        return "".join(
            "".join(run) if printed else _marked("".join(run)) for printed, run in groups
        )
    if isinstance(value, tuple):
        return tuple(_spelled(one) for one in value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type | Drawing):
        changed = {
            field.name: _spelled(getattr(value, field.name)) for field in dataclasses.fields(value)
        }
        return dataclasses.replace(value, **changed)
    return value


def _is_printed(character: str) -> bool:
    return character not in (OPEN, CLOSE) and typefaces.can_print(character)


def _marked(characters: str) -> str:
    words = [f"U+{ord(one):04X}" for one in characters]
    if len(characters) == 1 and (name := unicodedata.name(characters, "")):
        words.append(name)
    return f"{OPEN}{' '.join(words)}{CLOSE}"
