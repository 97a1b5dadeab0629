"""Turn text into the dark bars of a QR code."""

from typing import NamedTuple

import segno
from segno.encoder import DataOverflowError

from compliance.refusals import Refused


class VerifyTextTooLong(Refused):
    """Refuse a text that no QR code holds."""

    code = "verify-text-too-long"
    status = 422


class Bar(NamedTuple):
    """Place a run of dark modules, from the code's lower left corner."""

    x: float
    y: float
    width: float
    height: float


def bars(text: str, *, side: float) -> list[Bar]:
    """Give the dark bars of a code with this side, its quiet zone included."""
    try:
        rows = list(segno.make_qr(text, error="m", boost_error=False).matrix_iter(border=2))
    except DataOverflowError as overflow:
        raise VerifyTextTooLong(
            f"{len(text)} characters do not fit a QR code; give a shorter address"
        ) from overflow
    module = side / len(rows)
    found = []
    for number, row in enumerate(rows):
        start: int | None = None
        for column, is_dark in enumerate([*row, 0]):
            if is_dark and start is None:
                start = column
            elif not is_dark and start is not None:
                y = side - (number + 1) * module
                found.append(Bar(start * module, y, (column - start) * module, module))
                start = None
    return found
