"""Read a number as a source wrote it, and nothing that merely can be read as one."""

import re
from decimal import Decimal

MOST_LENGTH = 60
MOST_EXPONENT = 99  # far beyond any measurement, and 1e400 overflows whoever calculates with it
_FORM = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")


def decimal(text: str) -> Decimal | None:
    """Return the number that a text writes with the digits 0-9 and a decimal point, or None.

    `Decimal` alone also reads “1_000”, digits of every script, “NaN”, “Infinity” and 1e400.
    """
    if len(text) > MOST_LENGTH or not _FORM.fullmatch(text):
        return None
    value = Decimal(text)
    return value if abs(value.adjusted()) <= MOST_EXPONENT else None
