"""Files of any process are monitored and qualities foreseen, and bad ones refused in words."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command

from tests.twins.models.process_monitoring import made_up
from twins.models.process_monitoring.aligning import Run

ROOT = Path(__file__).parents[3]
OTHER_UNIT = "batch-column-other-unit"
Rows = list[dict[str, object]]


def _written(path: Path, rows: Rows) -> Path:
    with path.open("w", newline="") as handle:
        out = csv.DictWriter(handle, list(rows[0]))
        out.writeheader()
        out.writerows(rows)
    return path


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as handle:
        return list(csv.DictReader(handle))


def _batches(runs: list[Run], **more: float) -> Rows:
    return [
        {"batch": run.name, "minute": 2.0 * row}
        | dict(zip(made_up.SIGNALS, run.values[row].tolist(), strict=True))
        | more
        for run in runs
        for row in range(len(run.values))
    ]


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reference")
    return _written(folder / "normal.csv", _batches(made_up.batches(30)))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    runs = [made_up.too_warm(made_up.batch("X-1", 99)), made_up.batch("X-2", 98)]
    return _written(tmp_path / "data.csv", _batches(runs))


def _monitor(reference: Path, data: Path, out: Path, **more: object) -> list[dict[str, str]]:
    options = {"batch": "batch", "time": "minute", **more}
    call_command("twins", "monitor", reference=reference, data=data, out=out, **options)
    return _read(out)


def test_an_odd_batch_is_named_with_reasons_parts_and_a_chart(
    reference: Path, data: Path, tmp_path: Path
) -> None:
    parts, charts = tmp_path / "parts.csv", tmp_path / "charts"

    said = _monitor(reference, data, tmp_path / "out.csv", parts=parts, charts=charts)

    assert [(one["batch"], one["alarm"]) for one in said] == [("X-1", "1"), ("X-2", "0")]
    assert said[0]["reason_1"].startswith("temperature higher than normal from ")
    own = [one for one in _read(parts) if one["batch"] == "X-1"]
    for statistic in ("T2", "SPE"):
        total = 0.0
        for one in own:
            total = total + float(one[f"{statistic}_part"])
        assert total == float(said[0][statistic])
    assert (charts / "batch-X-1.svg").read_bytes().startswith(b"<")
    assert not (charts / "batch-X-2.svg").exists()


def test_a_reference_judges_its_own_batches_by_models_without_them(
    reference: Path, tmp_path: Path
) -> None:
    call_command(
        "twins",
        "monitor",
        reference=reference,
        batch="batch",
        time="minute",
        out=tmp_path / "o.csv",
    )

    said = _read(tmp_path / "o.csv")
    assert len(said) == 30
    assert sum(one["alarm"] == "1" for one in said) <= 2


@pytest.mark.django_db
def test_a_kept_monitor_answers_as_before_and_is_registered(
    reference: Path, data: Path, tmp_path: Path, settings: LazySettings
) -> None:
    settings.VAR_DIR = tmp_path / "var"
    first = _monitor(reference, data, tmp_path / "a.csv", keep="mixer@1")

    call_command("twins", "monitor", model="mixer@1", data=data, out=tmp_path / "b.csv")
    call_command("twins", "register", model="mixer@1")

    assert _read(tmp_path / "b.csv") == first
    with pytest.raises(CommandError, match="batch-model-exists"):
        _monitor(reference, data, tmp_path / "c.csv", keep="mixer@1")
    with pytest.raises(CommandError, match="process-twin-other-kind"):
        call_command("twins", "regress", model="mixer@1", data=data, out=tmp_path / "d.csv")
    path = tmp_path / "var" / "process-models" / "mixer@1.json"
    path.write_text(path.read_text().replace('"low": [', '"low": [1', 1))
    with pytest.raises(CommandError, match="batch-model-altered"):
        call_command("twins", "monitor", model="mixer@1", data=data, out=tmp_path / "e.csv")


def test_a_quality_of_batches_is_foreseen_from_their_trajectories_or_refused(
    data: Path, tmp_path: Path
) -> None:
    generator = np.random.default_rng(3)
    told, untold = [], []
    for run in made_up.batches(40):
        noise = float(generator.standard_normal())
        strength = 90.0 + 0.5 * float(run.values[20:40, 0].mean() - 80.0) + 0.2 * noise
        told += _batches([run], purity=strength)
        untold += _batches([run], purity=90.0 + noise)

    said = _monitor(
        _written(tmp_path / "told.csv", told), data, tmp_path / "out.csv", quality="purity"
    )

    assert all(float(one["quality_low"]) < float(one["quality_high"]) for one in said)
    assert 85.0 < float(said[1]["quality"]) < 95.0
    with pytest.raises(CommandError, match="model-without-skill: purity"):
        _monitor(
            _written(tmp_path / "untold.csv", untold), data, tmp_path / "no.csv", quality="purity"
        )


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda row: {k: v for k, v in row.items() if k != "flow"}, "batch-columns-missing"),
        (lambda row: {**row, "temperature": float(row["temperature"]) + 273.15}, OTHER_UNIT),
        (lambda row: {**row, "pressure": float(row["pressure"]) * 1000.0}, OTHER_UNIT),
        (lambda row: {**row, "minute": float(row["minute"]) * 60.0}, OTHER_UNIT),
        (lambda row: {**row, "flow": "much"}, "batch-value-no-number"),
        (lambda row: {**row, "flow": "1e400"} if row["minute"] == "4.0" else row, "flow holds '1e400'"),
        (lambda row: {**row, "flow": "-inf"} if row["minute"] == "4.0" else row, "flow holds '-inf'"),
        (lambda row: {**row, "batch": ""}, "batch-value-no-number"),
    ],
)  # fmt: skip
def test_a_spoilt_file_is_refused_and_nothing_is_written(
    reference: Path, data: Path, tmp_path: Path, spoil: object, code: str
) -> None:
    spoilt = _written(tmp_path / "bad.csv", [spoil(row) for row in _read(data)])  # type: ignore[operator]

    with pytest.raises(CommandError, match=code):
        _monitor(reference, spoilt, tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()


def test_what_a_batch_or_sample_is_has_to_be_said(
    reference: Path, data: Path, tmp_path: Path
) -> None:
    with pytest.raises(CommandError, match="either --batch or --continuous"):
        call_command("twins", "monitor", reference=reference, data=data, out=tmp_path / "o.csv")
    with pytest.raises(CommandError, match="batch-columns-missing"):
        _monitor(reference, data, tmp_path / "o.csv", phase="step")
    with pytest.raises(CommandError, match=r"process-reference-unusable: .*99 are needed"):
        _monitor(reference, data, tmp_path / "o.csv", false_alarms=0.01)
    with pytest.raises(CommandError, match="batch-file-is-input"):
        _monitor(reference, data, data)


def test_a_continuous_process_is_watched_row_by_row(tmp_path: Path) -> None:
    def rows(values: np.ndarray) -> Rows:
        return [dict(zip("abcdef", one, strict=True)) for one in values.tolist()]

    normal = _written(tmp_path / "normal.csv", rows(made_up.continuous(600, 1)))
    odd = _written(tmp_path / "odd.csv", rows(made_up.continuous(300, 2, shift_from=150)))

    call_command(
        "twins", "monitor", reference=normal, continuous=True, data=odd, out=tmp_path / "o.csv"
    )

    said = _read(tmp_path / "o.csv")
    assert len(said) == 300
    assert sum(one["alarm"] == "1" for one in said[170:]) > 110
    for one in (said[0], said[200]):
        named = sum(float(one[f"contribution_{rank}"]) for rank in (1, 2, 3))
        assert named + float(one["contribution_rest"]) == pytest.approx(float(one["value"]))


def _quality(seed: int, *, strength: float, count: int = 240) -> Rows:
    generator = np.random.default_rng(seed)
    found: Rows = []
    for row in range(count):
        speed, force = generator.standard_normal(2)
        product = "ABC"[int(generator.integers(0, 3))]
        noise = generator.standard_normal()
        yield_ = 95.0 + strength * (speed - force) + noise
        found.append(
            {"number": row, "speed": speed, "force": force, "product": product, "yield": yield_}
        )
    return found


def test_a_quality_is_foreseen_kept_and_used_for_rows_without_a_result(
    tmp_path: Path, settings: LazySettings
) -> None:
    settings.VAR_DIR = tmp_path / "var"
    rows = _quality(1, strength=2.0)
    past = _written(tmp_path / "past.csv", rows)
    options = {"target": "yield", "group": "product", "order": "number", "keep": "yield@1"}
    later = [{**row, "number": 1000 + at} for at, row in enumerate(_quality(2, strength=2.0)[:41])]
    new = [{**row, "yield": ""} for row in later]
    new[40] = {**new[40], "speed": 80.0}

    call_command("twins", "regress", data=past, out=tmp_path / "judged.csv", **options)
    data = _written(tmp_path / "new.csv", [*rows, *new])
    call_command("twins", "regress", data=data, model="yield@1", out=tmp_path / "said.csv")
    alone = _written(tmp_path / "alone.csv", new)
    call_command("twins", "regress", data=alone, model="yield@1", out=tmp_path / "alone-out.csv")

    judged, said = _read(tmp_path / "judged.csv"), _read(tmp_path / "said.csv")
    assert len(judged) == 168
    inside = [
        float(one["low"]) <= float(str(row["yield"])) <= float(one["high"])
        for one, row in zip(said[:40], later[:40], strict=True)
    ]
    # 90 % are promised: 31 of 40 or fewer would come by chance in one case of 50.
    assert sum(inside) >= 32
    assert [one["verdict"] for one in said] == ["foreseen"] * 40 + ["out-of-domain"]
    unheard = _read(tmp_path / "alone-out.csv")
    assert {one["verdict"] for one in unheard} == {"out-of-domain"}
    assert "no earlier result" in unheard[0]["outside"]
    for one in said:
        parts = sum(float(one[f"contribution_{rank}"]) for rank in (1, 2, 3))
        parts += float(one["constant"]) + float(one["contribution_rest"])
        assert parts == pytest.approx(float(one["foreseen"]))


def test_an_event_is_kept_with_its_bound(tmp_path: Path, settings: LazySettings) -> None:
    settings.VAR_DIR = tmp_path / "var"
    rows = _quality(5, strength=3.0)
    past = _written(tmp_path / "past.csv", rows)
    new = [{**row, "number": 1000, "yield": ""} for row in _quality(6, strength=3.0)[:30]]
    options = {"target": "yield", "order": "number", "below": 93.0, "keep": "low@1"}

    call_command("twins", "regress", data=past, out=tmp_path / "judged.csv", **options)
    data = _written(tmp_path / "new.csv", [*rows, *new])
    call_command("twins", "regress", data=data, model="low@1", out=tmp_path / "said.csv")

    assert {one["actual"] for one in _read(tmp_path / "judged.csv")} == {"0.0", "1.0"}
    said = [float(one["foreseen"]) for one in _read(tmp_path / "said.csv")]
    low = [float(str(row["yield"])) < 93.0 for row in _quality(6, strength=3.0)[:30]]
    assert np.mean([p for p, is_low in zip(said, low, strict=True) if is_low]) > 0.5
    assert np.mean([p for p, is_low in zip(said, low, strict=True) if not is_low]) < 0.3


def test_a_quality_that_the_columns_do_not_tell_is_refused(
    tmp_path: Path, settings: LazySettings
) -> None:
    settings.VAR_DIR = tmp_path / "var"
    data = _written(tmp_path / "past.csv", _quality(3, strength=0.0))
    options = {"target": "yield", "group": "product", "order": "number", "keep": "yield@1"}

    with pytest.raises(CommandError, match="model-without-skill: yield"):
        call_command("twins", "regress", data=data, out=tmp_path / "judged.csv", **options)
    assert not (tmp_path / "judged.csv").exists()
    assert not (tmp_path / "var").exists()


def test_a_target_under_another_name_and_too_few_results_are_refused(tmp_path: Path) -> None:
    rows = [
        {**row, "yield kg": 7.0 * float(str(row["yield"]))} for row in _quality(4, strength=2.0)
    ]
    out = tmp_path / "judged.csv"

    with pytest.raises(CommandError, match="process-target-among-inputs: yield kg"):
        call_command(
            "twins", "regress", data=_written(tmp_path / "a.csv", rows), target="yield", out=out
        )
    with pytest.raises(CommandError, match=r"process-results-too-few: .* 99 rows"):
        data = _written(tmp_path / "b.csv", rows[:99])
        call_command("twins", "regress", data=data, target="yield", without="yield kg", out=out)
    with pytest.raises(CommandError, match="batch-columns-missing"):
        call_command("twins", "regress", data=data, target="purity", out=out)


def test_answers_have_the_same_bytes_in_any_process_and_number_of_threads(
    reference: Path, data: Path, tmp_path: Path
) -> None:
    for place in range(2):
        command = [sys.executable, "manage.py", "twins", "monitor", "--batch", "batch"]
        command += ["--time", "minute", "--reference", str(reference), "--data", str(data)]
        command += ["--out", str(tmp_path / f"{place}.csv")]
        different = {"PYTHONHASHSEED": str(place), "OPENBLAS_NUM_THREADS": str(1 + place)}
        subprocess.run(
            command, cwd=ROOT, env=os.environ | different, check=True, stdout=subprocess.DEVNULL
        )

    assert (tmp_path / "0.csv").read_bytes() == (tmp_path / "1.csv").read_bytes()
