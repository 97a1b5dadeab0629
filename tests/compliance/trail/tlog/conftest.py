"""Show at the end of a run how the published vectors were answered."""

from typing import Any

import pytest

from tests import conformance
from tests.compliance.trail.tlog.vectors.verdicts import Result

_RESULTS = pytest.StashKey[list[Result]]()


@pytest.fixture
def results(request: pytest.FixtureRequest) -> list[Result]:
    """Collect the result of every family that was run."""
    return request.config.stash.setdefault(_RESULTS, [])


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    results = config.stash.get(_RESULTS, [])
    if results:
        terminalreporter.section("published vectors")
        for line in conformance.lines(results):
            terminalreporter.write_line(line)
