"""Write what a verification found, and how far it is, for people and for machines."""

import time
from collections.abc import Callable
from typing import Any

from compliance.trail.verification import Report

SHOWN = 50
BAR = 24


class Progress:
    """A line that says how far a verification is, how fast, and how long it will take."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write
        self._began = time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        seconds = max(time.monotonic() - self._began, 1e-6)
        rate = done / seconds
        left = int((total - done) / rate) if rate else 0
        full = BAR * done // max(total, 1)
        ending = "\n" if done >= total else ""
        self._write(
            f"\r[{'#' * full}{'.' * (BAR - full)}] {done:,} of {total:,} leaves, "
            f"{rate:,.0f}/s, {left // 60}:{left % 60:02} left {ending}"
        )


def as_text(report: Report) -> list[str]:
    """Return the lines that people read."""
    counted = (
        f"{report.entries} entries, {report.leaves} leaves, {report.checkpoints} checkpoints, "
        f"{report.unsealed} unsealed, {report.records} records, {report.rows} rows"
    )
    notes = [f"Note: {note}" for note in report.notes]
    if report.first is None:
        return [f"INTACT: {counted}", f"Root: {report.root.hex()}", *notes]
    total = sum(report.counts.values())
    lines = [f"First bad entry: {report.first}", *map(str, report.faults[:SHOWN])]
    if total > SHOWN:
        lines.append(f"... and {total - SHOWN} more")
    kinds = ", ".join(f"{count} {verdict}" for verdict, count in sorted(report.counts.items()))
    return [*lines, *notes, f"NOT INTACT: {total} faults ({kinds}) in {counted}"]


def as_json(report: Report) -> dict[str, Any]:
    """Return what machines read."""
    return {
        "intact": report.is_intact,
        "entries": report.entries,
        "leaves": report.leaves,
        "checkpoints": report.checkpoints,
        "unsealed": report.unsealed,
        "records": report.records,
        "rows": report.rows,
        "redacted": report.redacted,
        "root": report.root.hex(),
        "seconds": report.seconds,
        "first": None if report.first is None else str(report.first),
        "counts": {str(verdict): count for verdict, count in sorted(report.counts.items())},
        "faults": [
            {
                "verdict": str(fault.verdict),
                "index": fault.index,
                "entry_id": fault.entry_id,
                "record": fault.record,
                "message": fault.message,
            }
            for fault in report.faults[:SHOWN]
        ],
        "notes": list(report.notes),
    }
