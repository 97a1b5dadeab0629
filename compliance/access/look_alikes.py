"""Fold a name to its skeleton: what looks the same to a reader has the same one (UTS 39, in part)."""

import unicodedata

from django.db.models import F, Func, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Lower, Replace

# One sign for one sign. First what is drawn alike in Latin letters and digits, after lower case:
# 0 and o; 1, l, i and I (l looks as I does); then letters of other scripts that are drawn as Latin.
_DRAWN_ALIKE = {
    "0": "o", "1": "l", "i": "l", "|": "l", "_": "-", ".": "-",
    # Cyrillic
    "а": "a", "с": "c", "е": "e", "һ": "h", "і": "l", "ј": "j", "о": "o", "р": "p", "ԛ": "q",
    "ѕ": "s", "у": "y", "х": "x", "ԝ": "w", "А": "a", "В": "b", "С": "c", "Е": "e", "Н": "h",
    "І": "l", "Ј": "j", "К": "k", "М": "m", "О": "o", "Р": "p", "Ѕ": "s", "Т": "t", "У": "y",
    "Х": "x", "ӏ": "l", "Ӏ": "l",
    # Greek
    "α": "a", "ι": "l", "κ": "k", "ν": "v", "ο": "o", "ρ": "p", "υ": "u", "Α": "a", "Β": "b",
    "Ε": "e", "Ζ": "z", "Η": "h", "Ι": "l", "Κ": "k", "Μ": "m", "Ν": "n", "Ο": "o", "Ρ": "p",
    "Τ": "t", "Υ": "y", "Χ": "x",
}  # fmt: skip
# Several signs that are drawn as one.
_PAIRS = (("rn", "m"), ("vv", "w"))


def skeleton(text: str | Combinable) -> Combinable:
    """Return SQL for the skeleton of a column, named by a text, or of a value.

    In SQL only, so that the unique indexes and the questions before them fold alike.
    """
    source: Combinable = F(text) if isinstance(text, str) else text
    folded: Combinable = Func(
        Lower(source),
        Value("".join(_DRAWN_ALIKE)),
        Value("".join(_DRAWN_ALIKE.values())),
        function="TRANSLATE",
    )
    for pair, one in _PAIRS:
        folded = Replace(folded, Value(pair), Value(one))
    return folded


def plain(name: str) -> str:
    """Return a printed name in its one form: composed, single spaces, compatibility signs folded."""
    return " ".join(unicodedata.normalize("NFKC", name).split())


def hidden_signs(name: str) -> list[str]:
    """Return the names of signs that no reader sees, or that steer the direction of writing."""
    return sorted(
        {unicodedata.name(sign, f"U+{ord(sign):04X}") for sign in name
         if unicodedata.category(sign).startswith("C")}
    )  # fmt: skip
