"""Record in a run of the tests which requirement each one shows, and how it ended."""

import json
from pathlib import Path

import pytest

from tests.requirements import rows

MARKER = "requirement"


class Recorder:
    """A plugin of pytest: it refuses unknown ids, and writes what it saw when asked for a file."""

    def __init__(self, file: Path | None) -> None:
        self.file = file
        self.known = {row.id for row in rows.read()}
        self.shows: dict[str, list[str]] = {}
        self.outcomes: dict[str, list[str]] = {}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            ids = [str(one) for mark in item.iter_markers(MARKER) for one in mark.args]
            if unknown := sorted(set(ids) - self.known):
                raise pytest.UsageError(
                    f"{item.nodeid} is marked with {', '.join(unknown)}: "
                    f"{rows.FILE.name} has no such row"
                )
            if ids:
                self.shows[item.nodeid] = sorted(set(ids))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.nodeid in self.shows and (report.when == "call" or report.outcome != "passed"):
            self.outcomes.setdefault(report.nodeid, []).append(report.outcome)

    def pytest_sessionfinish(self) -> None:
        if self.file is None:
            return
        found = [
            {"test": test, "shows": ids, "outcomes": self.outcomes.get(test, [])}
            for test, ids in sorted(self.shows.items())
        ]
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.file.write_text(json.dumps(found, indent=1), encoding="utf-8")
