"""An alarm of a file is explained, and a question that cannot be answered is refused in words."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from tests.twins.models.penicillin_fed_batch import median_batch
from twins.models.batch_monitoring.signals import LABORATORY_NAMES, ONLINE_NAMES

# A twin is compared with the register of versions before it answers.
pytestmark = pytest.mark.django_db
COLUMNS = ("batch", "time_h", *ONLINE_NAMES, *LABORATORY_NAMES)
COUNT = 340
Rows = list[dict[str, object]]


def _rows(batch: dict[str, np.ndarray], name: object = "B-7") -> Rows:
    return [
        {"batch": name, "time_h": round((row + 1) * 0.2, 1)}
        | {
            tag: "" if np.isnan(column[row]) else float(column[row])
            for tag, column in batch.items()
        }
        for row in range(len(batch["T"]))
    ]


def _written(path: Path, rows: Rows, columns: tuple[str, ...] = COLUMNS) -> Path:
    with path.open("w", newline="") as handle:
        out = csv.DictWriter(handle, columns, extrasaction="ignore")
        out.writeheader()
        out.writerows(rows)
    return path


def _explain(data: Path, out: Path, **asked: Any) -> dict[str, Any]:
    call_command("twins", "explain", data=data, out=out, **({"batch": "B-7"} | asked))
    found: dict[str, Any] = json.loads(out.read_text())
    return found


@pytest.fixture(scope="module")
def starved() -> Rows:
    return _rows(median_batch.less_sugar(median_batch.batch(COUNT), 0.6))


def test_an_alarm_is_walked_back_and_explained(
    starved: Rows, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = _explain(_written(tmp_path / "in.csv", starved), tmp_path / "out.json")

    assert said["status"] == "explained"
    assert said["onset_from"] == "alarm"
    onset_h = (median_batch.ONSET + 1) * 0.2
    assert onset_h - 10.0 < said["onset_h"] <= onset_h + 0.4
    assert onset_h <= said["alarm"]["since_h"] < onset_h + 1.0
    assert said["likeliest"] == "sugar-less"
    assert abs(sum(one["weight"] for one in said["hypotheses"]) - 1.0) < 1e-12
    (course,) = said["impacts"][0]["courses"]
    low, middle, high = course["lost_kg"]
    assert low <= middle <= high
    told = capsys.readouterr().out
    assert "sugar feed delivers less (process)" in told
    assert "probe or process" in told
    assert f"{middle:.0f} kg of product lost" in told


def test_a_batch_without_an_alarm_has_nothing_to_explain(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = _written(tmp_path / "in.csv", _rows(median_batch.batch(150)))

    said = _explain(data, tmp_path / "out.json")

    assert said["status"] == "nothing-to-explain"
    assert "hypotheses" not in said
    assert "there is nothing to explain" in capsys.readouterr().out


def test_nothing_later_than_the_moment_is_looked_at(starved: Rows, tmp_path: Path) -> None:
    cut = [row for row in starved if float(str(row["time_h"])) <= 64.0]
    asked = {"until_h": 64.0, "end_h": 66.0}

    whole = _explain(_written(tmp_path / "a.csv", starved), tmp_path / "a.json", **asked)
    short = _explain(_written(tmp_path / "b.csv", cut), tmp_path / "b.json", **asked)

    assert whole["as_of_h"] == pytest.approx(64.0)
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert whole == short


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"batch": "B-8"}, "batch-not-in-file"),
        ({"until_h": 0.1}, "batch-not-in-file"),
        ({"until_h": -1.0}, "explain-moment-invalid"),
        ({"onset_h": float("nan")}, "explain-moment-invalid"),
        ({"onset_h": 0.4}, "explain-moment-invalid"),
        ({"onset_h": 500.0}, "explain-moment-invalid"),
        ({"onset_h": 40.0, "end_h": 20.0}, "explain-moment-invalid"),
        ({"onset_h": 40.0, "end_h": 9000.0}, "explain-moment-invalid"),
    ],
)
def test_a_question_that_cannot_be_answered_is_refused_and_nothing_is_written(
    tmp_path: Path, asked: dict[str, Any], code: str
) -> None:
    data = _written(tmp_path / "in.csv", _rows(median_batch.batch(260)))

    with pytest.raises(CommandError, match=code):
        _explain(data, tmp_path / "out.json", **asked)
    assert [one.name for one in tmp_path.iterdir()] == ["in.csv"]


@pytest.mark.parametrize(
    ("spoil", "columns", "code"),
    [
        (lambda rows: [{**row, "T": 25.0} for row in rows], COLUMNS, "batch-column-other-unit"),
        (lambda rows: [{**row, "pH": "acid"} for row in rows], COLUMNS, "batch-value-no-number"),
        (lambda rows: rows, COLUMNS[:-1], "batch-columns-missing"),
        (lambda rows: [], COLUMNS, "batch-file-empty"),
        (lambda rows: rows[30:], COLUMNS, "explain-moment-invalid"),
    ],
)
def test_a_spoilt_file_is_refused_as_by_predict(
    tmp_path: Path, spoil: Callable[[Rows], Rows], columns: tuple[str, ...], code: str
) -> None:
    data = _written(tmp_path / "in.csv", spoil(_rows(median_batch.batch(120))), columns)

    with pytest.raises(CommandError, match=code):
        _explain(data, tmp_path / "out.json", onset_h=20.0)
    assert [one.name for one in tmp_path.iterdir()] == ["in.csv"]


def test_the_answer_is_never_written_over_the_data(tmp_path: Path) -> None:
    data = _written(tmp_path / "in.csv", _rows(median_batch.batch(60)))
    before = data.read_bytes()

    with pytest.raises(CommandError, match="batch-file-is-input"):
        _explain(data, data)
    assert data.read_bytes() == before
