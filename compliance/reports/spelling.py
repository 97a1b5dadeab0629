"""Spell out the characters that the fonts lack, so that no text is lost and none printed wrongly."""

import dataclasses
import unicodedata
from typing import Any, TypeVar

from compliance.reports import typefaces
from compliance.reports.drawing import Drawing

T = TypeVar("T")
# Variation selectors and the joiner only say how their neighbours are to look.
_LOOKS_ONLY = frozenset({"\u200d", *(chr(code) for code in range(0xFE00, 0xFE10))})


def spelled(value: T) -> T:
    """Return a document, or a part of one, with e.g. U+1F4DD as `[MEMO]` and a control character
    as `[U+000B]`; charts stay as drawn."""
    return _spelled(value)  # type: ignore[no-any-return]


def _spelled(value: Any) -> Any:
    if isinstance(value, str) and type(value) is str:
        if value.isascii() and value.isprintable():
            return value
        return "".join(_character(one) for one in typefaces.composed(value))
    if isinstance(value, tuple):
        return tuple(_spelled(one) for one in value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type | Drawing):
        changed = {
            field.name: _spelled(getattr(value, field.name)) for field in dataclasses.fields(value)
        }
        return dataclasses.replace(value, **changed)
    return value


def _character(character: str) -> str:
    if typefaces.can_print(character):
        return character
    if character in _LOOKS_ONLY:
        return ""
    return f"[{unicodedata.name(character, f'U+{ord(character):04X}')}]"
