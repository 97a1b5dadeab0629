"""Write docs/requirements.md: every row with its tests and its state."""

from collections.abc import Sequence

from tests.requirements.mapping import Shown
from tests.requirements.rows import ROOT

FILE = ROOT / "docs" / "requirements.md"
PARTS = {
    1: "21 CFR Part 11",
    2: "21 CFR 211",
    3: "EU GMP Annex 11 (2011, in force)",
    4: "EU GMP Annex 11, draft 2025",
    5: "EU GMP Annex 22, draft 2025",
    6: "EU GMP Chapters 1, 4, 5, 6, 8 and Annex 16, PIC/S PI 041, MHRA 2018, ICH, CPV, GAMP",
}
_HEAD = """# What regulators ask, and the tests that show it

Made by `make requirements` from the markers of the tests and the outcome of their run; the rows
are in `requirements.toml`. The command fails when a row has no passing test. Rows that are left
for later are open, with the reason. Status of a source: verified (read in the authority's own
publication), secondary (a reprint or summary), to-check (check the number before relying on it).
"""


def written(shown: Sequence[Shown]) -> str:
    """Return the document."""
    counts = ", ".join(
        f"{sum(one.status == status for one in shown)} {status}"
        for status in ("shown", "open", "not shown", "failed")
        if any(one.status == status for one in shown)
    )
    lines = [_HEAD, f"{len(shown)} rows: {counts}.", ""]
    for part, title in PARTS.items():
        of_part = [one for one in shown if one.row.part == part]
        if of_part:
            lines += [f"## {title}", "", "| Id | Clause | Demand | Tests | Status |"]
            lines += ["|---|---|---|---|---|", *map(_line, of_part), ""]
    return "\n".join(lines).rstrip() + "\n"


def _line(shown: Shown) -> str:
    row = shown.row
    status = f"open: {row.open}" if shown.status == "open" else shown.status
    tests = "<br>".join([*(f"`{one}`" for one in shown.passed), *shown.others])
    clause = f"{row.clause} ({row.source_status})"
    cells = (row.id, clause, row.demand, tests, status)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
