"""A faulty table of units is no table."""

from pathlib import Path

import pytest

from batches.quantities import unit_table
from batches.quantities.unit_table import TableFaulty


@pytest.mark.parametrize(
    "units",
    [
        'kg = { factor = "1", also = ["g"] }\ng = { factor = "2", also = [] }',
        'kg = { factor = "0", also = [] }',
        'kg = { factor = "1e3", also = [] }',
        'kg = { factor = "-1", also = [] }',
        'kg = { factor = "1", also = [], note = "new" }',
    ],
)
def test_a_table_with_a_fault_is_refused_whole(
    units: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bad.toml").write_text(f'version = "x"\n[kinds.mass]\n{units}\n')
    monkeypatch.setattr(unit_table, "TABLES", tmp_path)

    with pytest.raises(TableFaulty):
        unit_table.load("bad")
