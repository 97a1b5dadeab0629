"""Map requirements to the tests that show them, and say which are not shown."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.requirements.rows import Row


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A row with the tests that show it, without their parameters: passed, and otherwise."""

    row: Row
    passed: tuple[str, ...] = ()
    others: tuple[str, ...] = ()

    @property
    def status(self) -> str:
        if self.row.open:
            return "open"
        if self.others and any(" failed" in one for one in self.others):
            return "failed"
        return "shown" if self.passed else "not shown"


def read(paths: Iterable[Path]) -> dict[str, dict[str, set[str]]]:
    """Join the records of several runs: for each id its tests, each with how it ended."""
    found: dict[str, dict[str, set[str]]] = {}
    for path in paths:
        for one in json.loads(path.read_text(encoding="utf-8")):
            name = str(one["test"]).split("[")[0]
            for row_id in one["shows"]:
                outcomes = found.setdefault(row_id, {}).setdefault(name, set())
                outcomes |= set(one["outcomes"] or ["not run"])
    return found


def of(rows: Sequence[Row], found: dict[str, dict[str, set[str]]]) -> list[Shown]:
    """Return every row with its tests: passed when one case passed and none failed."""
    return [_shown(row, found.get(row.id, {})) for row in rows]


def problems(shown: Sequence[Shown]) -> list[str]:
    """Name every row that is covered and has no passing test, or has one that failed."""
    said = []
    for one in shown:
        if one.status == "failed":
            said.append(f"{one.row.id}: {', '.join(one.others)}")
        elif one.status == "not shown":
            why = ", ".join(one.others) or "no test is marked with it"
            said.append(f"{one.row.id} ({one.row.clause}) is shown by no passing test: {why}")
    return said


def _shown(row: Row, tests: dict[str, set[str]]) -> Shown:
    passed, others = [], []
    for name, outcomes in sorted(tests.items()):
        if "failed" in outcomes:
            others.append(f"{name} failed")
        elif "passed" in outcomes:
            passed.append(name)
        else:
            others.append(f"{name} {', '.join(sorted(outcomes))}")
    return Shown(row=row, passed=tuple(passed), others=tuple(others))
