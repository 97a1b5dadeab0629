"""Files of batches are replayed by a trained twin, and bad ones refused in words."""

import csv
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command

from tests.twins.models.batch_monitoring import campaign
from twins.models.batch_monitoring.signals import LABORATORY_NAMES, ONLINE_NAMES
from twins.predictions import batch_files, batch_replays

# A twin is compared with the register of versions before it answers.
pytestmark = pytest.mark.django_db
SHIPPED = "penicillin-batch@2"
COLUMNS = ("batch", "time_h", *ONLINE_NAMES, *LABORATORY_NAMES)
Rows = list[dict[str, object]]


def _rows(batch: object, seed: int, steps: int = 60) -> Rows:
    time_h, found = campaign.columns(seed, steps=steps)
    return [
        {"batch": batch, "time_h": time_h[row]}
        | {name: "" if np.isnan(found[name][row]) else found[name][row] for name in found}
        for row in range(steps)
    ]


def _written(path: Path, rows: Rows, columns: tuple[str, ...] = COLUMNS) -> Path:
    with path.open("w", newline="") as handle:
        out = csv.DictWriter(handle, columns, extrasaction="ignore")
        out.writeheader()
        out.writerows(rows)
    return path


def _predict(data: Path, out: Path, model: str = SHIPPED) -> list[dict[str, str]]:
    call_command("twins", "predict", data=data, model=model, out=out)
    with out.open(newline="") as handle:
        return list(csv.DictReader(handle))


def test_every_sample_is_answered_in_the_order_of_the_file(tmp_path: Path) -> None:
    first, second = _rows("B-1", 1), _rows("B-2", 2)
    mixed = [row for pair in zip(first, second, strict=True) for row in pair]

    said = _predict(_written(tmp_path / "in.csv", mixed), tmp_path / "out.csv")

    assert [(one["batch"], one["time_h"]) for one in said] == [
        (one["batch"], str(one["time_h"])) for one in mixed
    ]
    assert all(0.0 <= float(one["p"]) <= 1.0 for one in said)
    assert {one["alarm"] for one in said} <= {"0", "1"}
    for one in said:
        low, high = float(one["penicillin_12h_low"]), float(one["penicillin_12h_high"])
        assert low <= float(one["penicillin_12h"]) <= high


def test_other_order_and_more_columns_change_nothing(tmp_path: Path) -> None:
    rows = [row | {"shift": "night"} for row in _rows(1, 1)]

    plain = _predict(_written(tmp_path / "a.csv", rows), tmp_path / "a-out.csv")
    turned = _predict(
        _written(tmp_path / "b.csv", rows, (*reversed(COLUMNS), "shift")), tmp_path / "b-out.csv"
    )

    assert plain == turned


def test_parquet_gives_the_same_answers_as_csv(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    from pyarrow import parquet, table

    rows = _rows(1, 1)
    columns = {name: [None if row[name] == "" else row[name] for row in rows] for name in COLUMNS}
    parquet.write_table(table(columns), tmp_path / "in.parquet")

    from_csv = _predict(_written(tmp_path / "in.csv", rows), tmp_path / "a.csv")
    from_parquet = _predict(tmp_path / "in.parquet", tmp_path / "b.csv")

    assert from_csv == from_parquet


def test_late_and_repeated_samples_are_said_and_not_used(tmp_path: Path) -> None:
    rows = _rows(1, 1)
    odd = [*rows[:30], rows[29], rows[10], *rows[30:]]

    plain = _predict(_written(tmp_path / "a.csv", rows), tmp_path / "a-out.csv")
    said = _predict(_written(tmp_path / "b.csv", odd), tmp_path / "b-out.csv")

    assert [one["note"] for one in said[29:33]] == ["", "repeated", "late", ""]
    assert [one["p"] for one in said[:30] + said[32:]] == [one["p"] for one in plain]


@pytest.mark.parametrize("no_time", [-1.0, "", 5000.0])
def test_what_came_before_the_first_time_is_not_answered_from_what_came_later(
    tmp_path: Path, no_time: object
) -> None:
    rows = [
        row | ({"time_h": no_time} if place < 3 else {}) for place, row in enumerate(_rows(1, 1))
    ]
    other = rows[:3] + [row | {"DO2": 2.0, "Fg": 20.0} for row in rows[3:]]

    said = _predict(_written(tmp_path / "a.csv", rows), tmp_path / "a-out.csv")
    same = _predict(_written(tmp_path / "b.csv", other), tmp_path / "b-out.csv")
    cut = _predict(_written(tmp_path / "c.csv", rows[:3]), tmp_path / "c-out.csv")

    assert said[:3] == same[:3] == cut
    assert {(one["note"], one["verdict"], one["alarm"]) for one in cut} == {
        ("without-time", "out-of-domain", "0")
    }
    assert said[3:] != same[3:]


def test_a_batch_without_any_time_does_not_keep_the_others_from_their_answers(
    tmp_path: Path,
) -> None:
    timeless = [row | {"time_h": ""} for row in _rows(2, 2)]

    alone = _predict(_written(tmp_path / "a.csv", _rows(1, 1)), tmp_path / "a-out.csv")
    said = _predict(_written(tmp_path / "b.csv", timeless + _rows(1, 1)), tmp_path / "b-out.csv")

    assert said[len(timeless) :] == alone


@pytest.mark.parametrize(
    "names", [("7", "007"), ("9" * 30, "9" * 29 + "8"), ("1" * 5000, "2" * 5000)]
)
def test_names_of_digits_stay_what_they_are_in_the_file(
    tmp_path: Path, names: tuple[str, str]
) -> None:
    pytest.importorskip("pyarrow")
    from pyarrow import parquet

    rows = [row for seed, name in enumerate(names) for row in _rows(name, seed, steps=3)]
    data = _written(tmp_path / "in.csv", rows)

    call_command("twins", "predict", data=data, model=SHIPPED, out=tmp_path / "out.parquet")

    found = parquet.read_table(tmp_path / "out.parquet")["batch"].to_pylist()
    assert found == [names[0]] * 3 + [names[1]] * 3


def test_batches_are_named_by_unsigned_numbers_but_not_by_lists(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    from pyarrow import array, parquet, table, uint64

    rows = _rows(1, 1, steps=3)
    columns = {name: [row[name] or None for row in rows] for name in COLUMNS}
    out = tmp_path / "out.parquet"

    large = columns | {"batch": array([2**64 - 1] * 3, uint64())}
    parquet.write_table(table(large), tmp_path / "large.parquet")
    call_command("twins", "predict", data=tmp_path / "large.parquet", model=SHIPPED, out=out)
    assert parquet.read_table(out)["batch"].to_pylist() == [2**64 - 1] * 3

    for name in ([1], {"lot": 1}):
        parquet.write_table(table(columns | {"batch": [name] * 3}), tmp_path / "in.parquet")
        with pytest.raises(CommandError, match=r"batch-value-no-number: .* not by a list"):
            call_command("twins", "predict", data=tmp_path / "in.parquet", model=SHIPPED, out=out)


def test_a_column_that_is_there_twice_is_refused_by_its_name(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    from pyarrow import parquet, table

    rows = _rows(1, 1, steps=3)
    data = _written(tmp_path / "in.csv", rows, (*COLUMNS, "T"))
    once = table({name: [row[name] or None for row in rows] for name in COLUMNS})
    parquet.write_table(once.append_column("T", once["T"]), tmp_path / "in.parquet")

    for one in (data, tmp_path / "in.parquet"):
        with pytest.raises(CommandError, match=r"batch-file-unreadable: .* two columns 'T'"):
            _predict(one, tmp_path / "out.csv")


def test_moments_are_no_hours(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    from datetime import timedelta

    from pyarrow import parquet, table

    rows = _rows(1, 1, steps=3)
    columns = {name: [row[name] or None for row in rows] for name in COLUMNS}
    columns["time_h"] = [timedelta(hours=float(str(row["time_h"]))) for row in rows]
    parquet.write_table(table(columns), tmp_path / "in.parquet")

    with pytest.raises(CommandError, match=r"batch-value-no-number: .* time_h holds moments"):
        _predict(tmp_path / "in.parquet", tmp_path / "out.csv")


def test_what_is_no_file_is_never_replaced_by_the_answers(tmp_path: Path) -> None:
    data = _written(tmp_path / "in.csv", _rows(1, 1, steps=3))
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "folder.csv").mkdir()
    too_long = tmp_path / ("n" * 250 + ".csv")

    for out in (tmp_path / "pipe.csv", tmp_path / "folder.csv", Path("/"), Path(), too_long,
                data / "out.csv", tmp_path / "none" / "out.csv"):  # fmt: skip
        with pytest.raises(CommandError, match=r"batch-file-unreadable: .* cannot be written"):
            _predict(data, out)
    assert (tmp_path / "pipe.csv").is_fifo()
    assert {one.name for one in tmp_path.iterdir()} == {"in.csv", "pipe.csv", "folder.csv"}


def test_answers_written_through_a_link_reach_its_file(tmp_path: Path) -> None:
    data = _written(tmp_path / "in.csv", _rows(1, 1, steps=3))
    (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")

    said = _predict(data, tmp_path / "link.csv")

    assert (tmp_path / "link.csv").is_symlink()
    assert len(said) == 3
    assert (tmp_path / "real.csv").is_file()


def test_too_little_memory_is_said_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise MemoryError("1 GiB")

    monkeypatch.setattr(batch_replays, "grid_of", full)
    data = _written(tmp_path / "in.csv", _rows(1, 1, steps=3))

    with pytest.raises(CommandError, match="out of memory, and nothing was written: 1 GiB"):
        _predict(data, tmp_path / "out.csv")


def test_a_batch_of_one_sample_is_answered(tmp_path: Path) -> None:
    said = _predict(_written(tmp_path / "in.csv", _rows(1, 1, steps=1)), tmp_path / "out.csv")

    assert len(said) == 1


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda rows: [{**row, "T": 25.0} for row in rows], "batch-column-other-unit"),
        (lambda rows: [{**row, "Wt": 80.0} for row in rows], "batch-column-other-unit"),
        (
            lambda rows: [{**row, "time_h": float(str(row["time_h"])) * 60} for row in rows],
            "batch-column-other-unit",
        ),
        # Few results of a laboratory, or a flow that rests nearly always, tell their unit too.
        (lambda rows: [{**row, "lab_X": 0.02} for row in rows[:12]], "batch-column-other-unit"),
        (
            lambda rows: [
                {**row, "Fremoved": 4000.0 * (place < 12)} for place, row in enumerate(rows)
            ],
            "batch-column-other-unit",
        ),
        (lambda rows: [{**row, "pH": "acid"} for row in rows], "batch-value-no-number"),
        (lambda rows: [{**row, "batch": ""} for row in rows], "batch-value-no-number"),
        (lambda rows: [], "batch-file-empty"),
    ],
)
def test_a_spoilt_file_is_refused_and_nothing_is_written(
    tmp_path: Path, spoil: object, code: str
) -> None:
    data = _written(tmp_path / "in.csv", spoil(_rows(1, 1)))  # type: ignore[operator]

    with pytest.raises(CommandError, match=code):
        _predict(data, tmp_path / "out.csv")
    assert [one.name for one in tmp_path.iterdir()] == ["in.csv"]


@pytest.mark.parametrize(
    "cell",
    [
        "inf",
        "-inf",
        "Infinity",
        "1e400",
        "-1e400",
        "1_000",
        "1,000",
        "7,2",
        "1 000",
        "７.2",
        "7.2 pH",
    ],
)
def test_a_cell_that_is_no_measurement_is_named_by_row_and_column(
    tmp_path: Path, cell: str
) -> None:
    rows = _rows(1, 1)
    rows[4] = {**rows[4], "pH": cell}
    data = _written(tmp_path / "in.csv", rows)

    with pytest.raises(CommandError) as refused:
        _predict(data, tmp_path / "out.csv")

    assert str(refused.value).startswith(
        f"batch-value-no-number: in.csv: row 5, column pH holds {cell!r}, which is no number"
    )
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize("cell", [float("inf"), float("-inf")])
def test_infinity_in_parquet_is_named_by_row_and_column(tmp_path: Path, cell: float) -> None:
    arrow = pytest.importorskip("pyarrow")
    rows = [
        {**row, "pH": cell if place == 2 else row["pH"]} for place, row in enumerate(_rows(1, 1))
    ]
    columns = {
        name: [one[name] if name == "batch" else float(one[name] or "nan") for one in rows]
        for name in COLUMNS
    }
    pytest.importorskip("pyarrow.parquet").write_table(
        arrow.table(columns), tmp_path / "in.parquet"
    )

    with pytest.raises(CommandError, match=rf"row 3, column pH holds {cell}, which is no number"):
        _predict(tmp_path / "in.parquet", tmp_path / "out.csv")


def test_nan_and_an_empty_cell_are_missing_alike(tmp_path: Path) -> None:
    def said(name: str, cell: str) -> list[dict[str, str]]:
        rows = [
            {**row, "pH": cell if place == 4 else row["pH"]}
            for place, row in enumerate(_rows(1, 1))
        ]
        return _predict(_written(tmp_path / f"{name}.csv", rows), tmp_path / f"{name}-out.csv")

    empty = said("empty", "")

    assert said("nan", "NaN") == said("lower", "nan") == said("spaces", "  ") == empty
    assert len(empty) == len(_rows(1, 1))


def test_a_mark_of_the_byte_order_and_other_line_ends_change_nothing(tmp_path: Path) -> None:
    plain = _written(tmp_path / "in.csv", _rows(1, 1))
    text = plain.read_bytes().replace(b"\r\n", b"\n")
    (tmp_path / "bom.csv").write_bytes(b"\xef\xbb\xbf" + text)
    (tmp_path / "crlf.csv").write_bytes(text.replace(b"\n", b"\r\n"))

    expected = _predict(plain, tmp_path / "out.csv")

    for name in ("bom.csv", "crlf.csv"):
        assert _predict(tmp_path / name, tmp_path / "other.csv") == expected


@pytest.mark.parametrize("at", [0, 40, 900])
def test_a_nul_in_the_file_is_refused(tmp_path: Path, at: int) -> None:
    data = _written(tmp_path / "in.csv", _rows(1, 1))
    text = data.read_bytes()
    data.write_bytes(text[:at] + b"\0" + text[at:])

    with pytest.raises(CommandError, match=r"batch-file-unreadable: in.csv line \d+ holds a NUL"):
        _predict(data, tmp_path / "out.csv")


def test_the_answers_are_never_written_over_the_data(tmp_path: Path) -> None:
    data = _written(tmp_path / "in.csv", _rows(1, 1))
    before = data.read_bytes()

    with pytest.raises(CommandError, match="batch-file-is-input"):
        _predict(data, data)
    assert data.read_bytes() == before


def test_a_batch_without_any_value_is_not_judged(tmp_path: Path) -> None:
    empty = [dict.fromkeys(COLUMNS, "") | {"batch": 1, "time_h": 0.2 * row} for row in range(1, 40)]

    said = _predict(_written(tmp_path / "in.csv", empty), tmp_path / "out.csv")

    assert {one["verdict"] for one in said} == {"out-of-domain"}
    assert {one["alarm"] for one in said} == {"0"}


def test_missing_columns_are_named(tmp_path: Path) -> None:
    columns = tuple(name for name in COLUMNS if name not in ("DO2", "lab_X"))
    data = _written(tmp_path / "in.csv", _rows(1, 1), columns)

    with pytest.raises(CommandError, match=r"batch-columns-missing: in\.csv lacks DO2, lab_X"):
        _predict(data, tmp_path / "out.csv")


def test_a_file_that_is_no_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "in.parquet").write_bytes(b"PAR1 no PAR1")

    for name in ("in.parquet", "none.csv"):
        with pytest.raises(CommandError, match="batch-file-unreadable"):
            _predict(tmp_path / name, tmp_path / "out.csv")


def test_a_wrong_name_lists_the_trained_twins(tmp_path: Path) -> None:
    data = _written(tmp_path / "in.csv", _rows(1, 1))

    for wrong in ("penicillin-batch@99", "../../etc/passwd", "penicillin-batch"):
        with pytest.raises(CommandError, match=f"unknown-batch-model: .*{SHIPPED}"):
            _predict(data, tmp_path / "out.csv", wrong)


def test_a_version_is_frozen_and_is_never_trained_over(
    tmp_path: Path, settings: LazySettings
) -> None:
    settings.VAR_DIR = tmp_path
    data = _written(tmp_path / "in.csv", _rows(1, 1))

    with pytest.raises(CommandError, match="batch-model-exists"):
        call_command("twins", "train", data=data, labels=data, out=SHIPPED)
    with pytest.raises(CommandError, match="batch-columns-missing"):
        call_command("twins", "train", data=data, labels=data, out="another@1")


def test_the_shipped_twin_says_that_this_code_trained_it() -> None:
    from twins.hub import batch_models

    opened = batch_models.open_(SHIPPED)

    assert opened.code_is_that_of_training
    assert opened.dossier["batches"]["normal"] >= 100
    assert set(opened.dossier["data"]) >= {"data", "labels"}


@pytest.mark.requirement("A22-1")
def test_a_batch_has_one_digest_in_any_process_order_and_number_of_threads(tmp_path: Path) -> None:
    batches = {name: _rows(name, seed, steps=150) for name, seed in (("A", 1), ("B", 2), ("C", 3))}
    orders = (("A", "B", "C"), ("C", "A", "B"), ("B",))
    root = Path(__file__).parents[3]
    running = []
    for place, order in enumerate(orders):
        data = _written(tmp_path / f"{place}.csv", [row for one in order for row in batches[one]])
        command = [sys.executable, "manage.py", "twins", "predict", "--model", SHIPPED]
        command += ["--data", str(data), "--out", str(tmp_path / f"{place}-out.csv")]
        # The second and third run at the same time, with other threads and another hash seed.
        different = {"PYTHONHASHSEED": str(place), "OPENBLAS_NUM_THREADS": str(1 + place % 2)}
        running.append(
            subprocess.Popen(
                command, cwd=root, env=os.environ | different, stdout=subprocess.DEVNULL
            )
        )
        if place == 0:
            assert running[0].wait(timeout=300) == 0
    assert [one.wait(timeout=300) for one in running] == [0, 0, 0]
    # And once in this process, which has predicted other batches before.
    mixed = [row for trio in zip(*batches.values(), strict=True) for row in trio]
    _predict(_written(tmp_path / "3.csv", mixed), tmp_path / "3-out.csv")

    digests = [_digests(tmp_path / f"{place}-out.csv") for place in range(4)]

    assert digests[0] == digests[1] == digests[3]
    assert digests[2]["B"] == digests[0]["B"]


def _digests(answers: Path) -> dict[str, str]:
    """Return the SHA-256 of the answers of each batch, as they stand in the file."""
    lines = answers.read_text().splitlines()[1:]
    found: dict[str, list[str]] = {}
    for line in lines:
        found.setdefault(line.split(",", 1)[0], []).append(line)
    return {
        name: hashlib.sha256("\n".join(one).encode()).hexdigest() for name, one in found.items()
    }


@pytest.mark.shared
def test_a_pressure_fault_of_another_plant_is_alarmed_and_its_usual_batch_is_not(
    shared: Path,
) -> None:
    pytest.importorskip("pyarrow")
    from twins.hub import batch_models
    from twins.models.batch_monitoring.model import answer

    table = batch_files.read(shared / "data" / "indpensim" / "dev_measured.parquet")
    rows = table.rows_of()
    twin = batch_models.open_(SHIPPED).model

    # Batch 122: back pressure from 55.8 to 68.8 h; batch 5: nothing.
    faulty_grid = batch_replays.grid_of(table, rows[122])
    faulty = answer(twin, faulty_grid)
    usual = answer(twin, batch_replays.grid_of(table, rows[5]))
    # Three, five and twelve hours without any sample, as after a cut cable.
    holed = [
        answer(twin, batch_replays.grid_of(table, np.delete(rows[5], slice(*one))))
        for one in ((200, 215), (400, 425), (700, 760))
    ]

    first_h = faulty_grid.time_h[np.flatnonzero(faulty.alarm)[0]]
    assert 55.8 <= first_h <= 57.0
    assert not usual.alarm.any()
    assert not any(one.alarm.any() for one in holed)
