"""A folder of real data is read and checked whole, before anything of it is posted."""

from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from batches.exchange import folders
from batches.exchange.formats import series_parquet
from config.demo import cast, folder_files
from config.demo.folder_files import FileUnfit, Taken
from tests import factories
from tests.factories import NOON

HEADER = "Timestamp,Batch_ID,Step,Operator,Value_Measured,Unit,Critical_Alarm"
FIRST = "2026-02-15 06:00:00,LOT-1,Growth,OP_ES_02,50.2096,mg,0"
REPORT = "# Deviation Report: DR-2026-001\n\n## 2. Event Description\n"


def _log(folder: Path, *lines: str, name: str = "log.csv") -> None:
    (folder / name).write_text("\n".join([HEADER, *lines]) + "\n", encoding="utf-8")


def _read(folder: Path) -> Taken:
    return folder_files.read(folders.recognise(folder), at=NOON)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("2026-02-15 06:00:30,LOT-1,Growth,OP_ES_02,NaN,mg,0", "Value_Measured cannot be read"),
        *(
            (f"2026-02-15 06:00:30,LOT-1,Growth,OP_ES_02,{value},mg,0", "Value_Measured cannot")
            for value in ("inf", "-inf", "1e400", "1_000", '"1,000"', '"50,1"', "٥٠", "５0", "")
        ),
        ("2026-02-١٥ 06:00:30,LOT-1,Growth,OP_ES_02,50.1,mg,0", "Timestamp cannot be read"),
        ("2026-13-45 06:00:30,LOT-1,Growth,OP_ES_02,50.1,mg,0", "Timestamp: "),
        ("2026-03-29 02:30:00,LOT-1,Growth,OP_ES_02,50.1,mg,0", "Timestamp: "),
        ("2027-02-15 06:00:30,LOT-1,Growth,OP_ES_02,50.1,mg,0", "is in the future"),
        ("2026-02-15 06:00:30,LOT 1,Growth,OP_ES_02,50.1,mg,0", "“LOT 1” is no batch number"),
        (f"2026-02-15 06:00:30,LOT-1,Growth,OP_ES_02,50.1,{'m' * 31},0", "Unit: "),
        (f"2026-02-15 06:00:30,LOT-1,Growth,{'O' * 101},50.1,mg,0", "Operator: "),
    ],
)
def test_a_line_that_would_not_be_taken_is_named_with_its_file(
    tmp_path: Path, line: str, problem: str
) -> None:
    _log(tmp_path, FIRST, line)

    with pytest.raises(FileUnfit) as refused:
        _read(tmp_path)

    said = str(refused.value)
    assert said.startswith("log.csv: line 3: ")
    assert problem in said
    assert said.endswith(
        "nothing of the folder was stored: correct the file or take it out, and run it again"
    )
    assert "\n" not in said


@pytest.mark.parametrize(
    ("column", "value", "problem"),
    [
        ("T", float("inf"), "batch 1: row 2 of it, column T holds inf, which is no measurement"),
        ("pH", float("-inf"), "batch 1: row 2 of it, column pH holds -inf"),
        ("time_h", float("inf"), "batch 1: row 2 of it, column time_h holds inf"),
        ("time_h", float("nan"), "batch 1: a row has no time_h"),
        ("batch", 1.5, "batch holds 1.5, which numbers no batch"),
        ("T", "warm", "column T holds string, not numbers"),
    ],
)
def test_a_series_with_a_value_that_is_none_is_refused_by_name(
    tmp_path: Path, column: str, value: object, problem: str
) -> None:
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    names = ("batch", "time_h", *(name for name, _ in series_parquet.PENICILLIN.tags.values()))
    table: dict[str, list[object]] = {name: [1.0, 1.0, 1.0] for name in names}
    table["time_h"] = [0.2, 0.4, 0.6]
    table["pressure"] = [0.9, float("nan"), 0.9]
    parquet.write_table(arrow.table(table), tmp_path / "good.parquet")
    assert len(_read(tmp_path).series[tmp_path / "good.parquet"].wanted[0].samples) == 3 * 7 - 1
    (tmp_path / "good.parquet").unlink()

    spoilt = [value] * 3 if isinstance(value, str) else [table[column][0], value, table[column][2]]
    parquet.write_table(arrow.table(table | {column: spoilt}), tmp_path / "series.parquet")

    with pytest.raises(FileUnfit, match=f"^series.parquet: {problem}"):
        _read(tmp_path)


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ("", "does not say when it happened: a line “Timestamp: "),
        ("Timestamp: yesterday\n", "Timestamp: "),
        ("Timestamp: 2026-02-16 06:24:15\nDeviation Severity: Huge\n", "severity: "),
    ],
)
def test_a_report_that_would_not_be_taken_is_named(
    tmp_path: Path, fields: str, problem: str
) -> None:
    _log(tmp_path, FIRST)
    (tmp_path / "report.md").write_text(REPORT + fields, encoding="utf-8")

    with pytest.raises(FileUnfit, match=r"^report.md: ") as refused:
        _read(tmp_path)

    assert problem in str(refused.value)


def test_a_batch_in_two_files_and_a_folder_without_a_batch_are_refused(tmp_path: Path) -> None:
    both, none = tmp_path / "both", tmp_path / "none"
    both.mkdir()
    none.mkdir()
    _log(both, FIRST, name="a.csv")
    _log(both, FIRST, name="b.csv")
    _log(none)

    with pytest.raises(FileUnfit, match=r"^b.csv: batch LOT-1 is in a.csv too"):
        _read(both)
    with pytest.raises(FileUnfit, match=r"^log.csv: the log has no line but its header"):
        _read(none)


@pytest.mark.django_db
def test_a_step_that_is_no_phase_is_named_before_anything_is_posted(tmp_path: Path) -> None:
    _log(tmp_path, FIRST, FIRST.replace("Growth", "Bioreactor/Harvest"))
    recipe = factories.recipe()
    folder_files.demand_phases(_read(tmp_path), recipe)
    _log(tmp_path, FIRST, FIRST.replace("Growth", "Polishing"))

    with pytest.raises(FileUnfit, match=r"^log.csv: line 3: Step “Polishing” is no phase of"):
        folder_files.demand_phases(_read(tmp_path), recipe)


def test_the_command_ends_in_one_line_before_it_sets_anything_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cast, "assemble", lambda *_, **__: pytest.fail("something was set up"))
    _log(tmp_path, FIRST.replace("50.2096", "NaN"))

    with pytest.raises(CommandError, match=r"^log.csv: line 2: Value_Measured cannot be read"):
        call_command("demo", "--no-serve", "--data", str(tmp_path))
