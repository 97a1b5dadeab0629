"""Digest the rows of a batch so that neither their order nor the batch's name hides a copy."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation

from twins.models import documents

Row = Mapping[str, object]
# Columns that name a batch or count its rows: a copy under another name is the same content.
NAMES_OF_BATCHES = frozenset({"batch", "batch_id", "batch_number", "id", "row"})


class RowsUnreadable(ValueError):
    """Rows have no value that could be digested."""

    code = "rows-unreadable"


def digest(rows: Iterable[Row]) -> str:
    """Return the SHA-256 over the sorted canonical rows of a batch, without what names it.

    Numbers count by their value: 1, "1.0" and "1.00" are the same. What a row has no value for
    counts as not there, whether the file has an empty cell or no such member.
    """
    lines = sorted(_line(row) for row in rows)
    if not lines:
        raise RowsUnreadable("a batch without rows has no content")
    found = hashlib.sha256(b"gmp-twin/batch-content/v1\n")
    for line in lines:
        found.update(b"%d\n" % len(line))
        found.update(line)
    return found.hexdigest()


def means(rows: Iterable[Row]) -> dict[str, float]:
    """Return the mean of each column that has a number in any row, by name."""
    columns: dict[str, list[float]] = {}
    for row in rows:
        for name, value in row.items():
            number = None if name.lower() in NAMES_OF_BATCHES else _number(value)
            if number is not None:
                columns.setdefault(name, []).append(float(number))
    return {name: sum(values) / len(values) for name, values in sorted(columns.items())}


def _line(row: Row) -> bytes:
    kept = {
        name: _value(value)
        for name, value in row.items()
        if name.lower() not in NAMES_OF_BATCHES and not _is_absent(value)
    }
    if not kept:
        raise RowsUnreadable("a row has nothing but the name of its batch")
    text = json.dumps(kept, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode()


def _is_absent(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _value(value: object) -> documents.Json:
    if value is None or isinstance(value, bool):
        return value
    number = _number(value)
    if number is not None:
        # Not 1E+1 and 10 for the same number, and no minus before zero.
        return format(number.normalize() + 0, "f")
    if not isinstance(value, str):
        raise RowsUnreadable(f"{type(value).__name__} is no value of a row")
    return value.strip()


def _number(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, (str, int, float, Decimal)):
        return None
    try:
        number = Decimal(value if isinstance(value, (int, Decimal)) else str(value).strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
