"""Show at the end of a run what was captured on which way of writing."""

from typing import Any

import pytest

_TABLE = pytest.StashKey[list[tuple[str, int, int, str]]]()


@pytest.fixture
def ways(request: pytest.FixtureRequest) -> list[tuple[str, int, int, str]]:
    """Collect: way of writing, rows changed, entries written, actors named."""
    return request.config.stash.setdefault(_TABLE, [])


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    rows = config.stash.get(_TABLE, [])
    if rows:
        terminalreporter.section("ways of writing: rows changed = entries written")
        for way, changed, entries, actor in rows:
            terminalreporter.write_line(f"{way:<44}{changed:>8}{entries:>8}   {actor}")
