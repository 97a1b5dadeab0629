"""Recognise what is in a folder of data: what can be read, and, honestly, what cannot."""

from dataclasses import dataclass, field
from pathlib import Path

from batches.exchange.formats import deviation_report_md, mes_log_csv, series_parquet

LARGEST_BYTES = 256 * 1024 * 1024
_TEXTS = {
    ".csv": ("mes-log-csv", mes_log_csv.is_one),
    ".md": ("deviation-report-md", deviation_report_md.is_one),
}


@dataclass(frozen=True)
class Found:
    """What a folder holds: (path, format) of each file that can be read, and the other files."""

    recognised: list[tuple[Path, str]] = field(default_factory=list)
    unknown: list[Path] = field(default_factory=list)

    def of(self, kind: str) -> list[Path]:
        return [path for path, found in self.recognised if found == kind]


def recognise(folder: Path) -> Found:
    """Look through a folder and those below it, in order of name; nothing is opened in full."""
    found = Found()
    if not folder.is_dir():
        return found
    for path in sorted(one for one in folder.rglob("*") if one.is_file()):
        kind = _kind(path)
        if kind is None:
            found.unknown.append(path)
        else:
            found.recognised.append((path, kind))
    return found


def _kind(path: Path) -> str | None:
    if path.stat().st_size > LARGEST_BYTES:
        return None
    if path.suffix == ".parquet":
        return "series-parquet" if series_parquet.mapping_of(path) else None
    if path.suffix in _TEXTS:
        kind, is_one = _TEXTS[path.suffix]
        with path.open("rb") as file:
            return kind if is_one(file.read(64 * 1024)) else None
    return None
