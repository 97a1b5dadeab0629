"""Read what regulators ask and this product covers: docs/requirements.toml."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "docs" / "requirements.toml"
STATUSES = ("verified", "secondary", "to-check")


class RowsInvalid(Exception):
    """The table of requirements says something that cannot be."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One demand: where it is written, what it asks, and why it is left open, if it is."""

    id: str
    part: int
    clause: str
    demand: str
    source_status: str
    open: str = ""


def read(path: Path = FILE) -> list[Row]:
    """Return the rows in their order; raise `RowsInvalid` for a repeated id or an unknown status."""
    found = [Row(**one) for one in tomllib.loads(path.read_text(encoding="utf-8"))["row"]]
    ids = [row.id for row in found]
    if twice := sorted({one for one in ids if ids.count(one) > 1}):
        raise RowsInvalid(f"{path.name} has more than one row {', '.join(twice)}")
    for row in found:
        if row.source_status not in STATUSES:
            raise RowsInvalid(f"{row.id}: {row.source_status} is no source status")
    return found
