"""Every requirement is mapped to the tests that show it, and a row without a passing one is named."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.requirements import document, mapping, rows
from tests.requirements.recorder import Recorder
from tests.requirements.rows import Row, RowsInvalid


def _row(row_id: str, **said: Any) -> Row:
    return Row(
        id=row_id, part=1, clause="11.10", demand="a demand", source_status="secondary", **said
    )


def _record(folder: Path, name: str, *tests: tuple[str, str, list[str]]) -> Path:
    file = folder / name
    found = [{"test": test, "shows": [row], "outcomes": ends} for test, row, ends in tests]
    file.write_text(json.dumps(found))
    return file


def test_a_covered_row_without_a_passing_test_is_named(tmp_path: Path) -> None:
    file = _record(tmp_path, "one.json", ("t::a", "A", ["passed"]), ("t::b", "B", ["skipped"]))

    shown = mapping.of([_row("A"), _row("B"), _row("C")], mapping.read([file]))

    assert [one.status for one in shown] == ["shown", "not shown", "not shown"]
    assert mapping.problems(shown) == [
        "B (11.10) is shown by no passing test: t::b skipped",
        "C (11.10) is shown by no passing test: no test is marked with it",
    ]


def test_one_failing_case_of_a_test_fails_its_row(tmp_path: Path) -> None:
    tests = (("t::a[1]", "A", ["passed"]), ("t::a[2]", "A", ["failed"]), ("t::b", "A", ["passed"]))

    shown = mapping.of([_row("A")], mapping.read([_record(tmp_path, "one.json", *tests)]))

    assert shown[0].status == "failed"
    assert mapping.problems(shown) == ["A: t::a failed"]


def test_a_row_left_for_later_is_listed_as_open_with_its_reason() -> None:
    shown = mapping.of([_row("A", open="comes with the hub")], {})

    assert mapping.problems(shown) == []
    assert "open: comes with the hub" in document.written(shown)


def test_the_records_of_two_halves_of_the_suite_are_joined(tmp_path: Path) -> None:
    first = _record(tmp_path, "1.json", ("t::a", "A", ["passed"]))
    second = _record(tmp_path, "2.json", ("t::b", "A", ["passed"]))

    (shown,) = mapping.of([_row("A")], mapping.read([first, second]))

    assert shown.passed == ("t::a", "t::b")
    assert "`t::a`<br>`t::b` | shown |" in document.written([shown])


def test_a_row_is_in_the_table_once(tmp_path: Path) -> None:
    file = tmp_path / "rows.toml"
    row = '[[row]]\nid = "A"\npart = 1\nclause = "1"\ndemand = "d"\nsource_status = "secondary"\n'
    file.write_text(row + row)

    with pytest.raises(RowsInvalid, match="more than one row A"):
        rows.read(file)


class _Item:
    nodeid = "tests/test_x.py::test_x"

    def __init__(self, *ids: str) -> None:
        self.ids = ids

    def iter_markers(self, name: str) -> list[Any]:
        return [pytest.mark.requirement(*self.ids).mark]


def test_a_marker_with_an_unknown_id_stops_the_run() -> None:
    with pytest.raises(pytest.UsageError, match="P11-zz"):
        Recorder(None).pytest_collection_modifyitems([_Item("P11-a1", "P11-zz")])  # type: ignore[list-item]


def test_a_run_writes_which_test_showed_what(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "deep" / "record.json")
    recorder.pytest_collection_modifyitems([_Item("P11-a1")])  # type: ignore[list-item]
    report = pytest.TestReport(_Item.nodeid, ("", 0, ""), {}, "passed", None, "call")
    recorder.pytest_runtest_logreport(report)
    recorder.pytest_sessionfinish()

    written = json.loads((tmp_path / "deep" / "record.json").read_text())
    assert written == [{"test": _Item.nodeid, "shows": ["P11-a1"], "outcomes": ["passed"]}]


@pytest.mark.shared
def test_the_rows_are_those_of_the_design(shared: Path) -> None:
    text = (shared / "design" / "requirements.md").read_text(encoding="utf-8")
    text = text.split("\n## 7 ")[0]
    ids = [
        line.split("|")[1].strip()
        for line in text.splitlines()
        if line.startswith("| ") and not line.startswith("| ID")
    ]

    assert [row.id for row in rows.read()] == ids
    assert all(re.fullmatch(r"[A-Za-z0-9./-]+", one) for one in ids)
