"""FMUs are imported once, kept frozen with a dossier, and run on files of inputs."""

import csv
import json
import shutil
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.test import override_settings

from tests.factories import NOON
from tests.twins.models.co_simulation import fmus
from tests.twins.models.co_simulation.fmus import Plan
from twins.hub import co_simulation_models
from twins.hub.models import ModelVersion
from twins.models.co_simulation import archives
from twins.predictions import co_simulations

pytestmark = [fmus.needs_compiler, fmus.needs_fmpy]

LABEL = "cho-fmu@1"
_REAL = 'variability="continuous"><Real unit="L/h" min="0" max="5" start="0"/>'
_INTEGER = 'variability="discrete"><Integer start="0"/>'
Rows = list[dict[str, object]]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: LazySettings) -> Path:
    settings.VAR_DIR = tmp_path
    return tmp_path


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder into which the FMU was imported once."""
    folder = tmp_path_factory.mktemp("kept")
    with override_settings(VAR_DIR=folder):
        _import(folder)
    return folder


@pytest.fixture
def imported(kept: Path, folder: Path) -> Path:
    shutil.copytree(kept, folder, dirs_exist_ok=True)
    return folder / "culture.fmu"


def _import(folder: Path, out: str = LABEL, intended_use: str = "advice on feeding") -> None:
    path = folder / "culture.fmu"
    if not path.exists():
        path.write_bytes(fmus.build(Plan()))
    call_command("twins", "import-fmu", fmu=path, out=out, intended_use=intended_use)


def _rows(hours: int = 6) -> Rows:
    return [{"time [h]": float(hour), "feed_rate [L/h]": 0.3} for hour in range(hours + 1)]


def _written(path: Path, rows: Rows) -> Path:
    with path.open("w", newline="") as handle:
        out = csv.DictWriter(handle, rows[0])
        out.writeheader()
        out.writerows(rows)
    return path


def _simulate(rows: Rows, folder: Path, name: str = "out.csv") -> list[dict[str, str]]:
    out = folder / name
    call_command(
        "twins", "simulate", model=LABEL, inputs=_written(folder / "in.csv", rows), out=out
    )
    with out.open(newline="") as handle:
        return list(csv.DictReader(handle))


def test_an_imported_fmu_answers_a_file_and_every_row_carries_its_error(
    imported: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [row | {"start_viable_cells_1e6_per_ml [10*6/mL]": 0.5} for row in _rows()]

    said = _simulate(rows, folder)

    assert [float(one["time [h]"]) for one in said] == [float(hour) for hour in range(7)]
    assert float(said[0]["viable_cells_1e6_per_ml [10*6/mL]"]) == 0.5
    assert float(said[-1]["volume_l [L]"]) == pytest.approx(151.8)
    assert all(0.0 <= float(one[co_simulations.ERROR_COLUMN]) < 1e-3 for one in said)
    assert "repeated to the byte" in capsys.readouterr().out


def test_the_same_inputs_give_the_same_file_to_the_byte_also_from_parquet(
    imported: Path, folder: Path
) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    rows = _rows()
    _simulate(rows, folder, "a.csv")
    _simulate(rows, folder, "b.csv")
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    parquet.write_table(pyarrow.table(columns), folder / "in.parquet")
    call_command(
        "twins", "simulate", model=LABEL, inputs=folder / "in.parquet", out=folder / "c.csv"
    )

    assert len({(folder / f"{one}.csv").read_bytes() for one in "abc"}) == 1


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"feed_rate [L/h]": None, "feed_rate [mL/h]": 0.3}, "co-simulation-input-other-unit"),
        ({"feed_rate [L/h]": None, "feed_rate": 0.3}, "co-simulation-input-other-unit"),
        ({"time [h]": None, "time [s]": 0.3}, "co-simulation-input-other-unit"),
        ({"feed_rate [L/h]": None}, "co-simulation-input-missing"),
        ({"stirrer [rpm]": 80.0}, "co-simulation-input-unknown"),
        ({"probe": 1.0}, "co-simulation-input-unknown"),
        ({"feed_rate [L/h]": 9.0}, "co-simulation-input-value"),
        ({"feed_rate [L/h]": ""}, "co-simulation-input-value"),
        ({"time [h]": 1.0}, "co-simulation-input-value"),
    ],
)
def test_inputs_that_do_not_fit_are_refused(
    imported: Path, folder: Path, change: dict[str, object], code: str
) -> None:
    rows = [
        {name: value for name, value in (row | change).items() if value is not None}
        for row in _rows()
    ]

    with pytest.raises(CommandError, match=code):
        _simulate(rows, folder)

    assert not (folder / "out.csv").exists()


def test_the_dossier_says_what_the_model_is_and_for_what(imported: Path) -> None:
    opened = co_simulation_models.open_(LABEL)

    assert opened.sha256 == opened.dossier["sha256"]
    assert opened.dossier["intended_use"] == "advice on feeding"
    assert "feed_rate 0 to 5 L/h" in opened.dossier["valid_range"]
    variables = opened.dossier["description"]["variables"]
    assert {one["name"] for one in variables} >= {"feed_rate", "mab_g_l", "time"}


def test_a_version_is_never_written_over(imported: Path, folder: Path) -> None:
    before = co_simulation_models.open_(LABEL)

    with pytest.raises(CommandError, match="co-simulation-model-exists"):
        _import(folder, intended_use="another")

    assert co_simulation_models.open_(LABEL) == before


@pytest.mark.parametrize("what", ["fmu", "json"])
def test_what_was_changed_after_the_import_is_refused(
    imported: Path, folder: Path, what: str
) -> None:
    path = next((folder / "co-simulation-models").glob(f"*.{what}"))
    if what == "fmu":
        path.write_bytes(fmus.build(Plan(behaviour=fmus.NOT_FINITE)))
    else:
        path.write_text(path.read_text().replace("advice on feeding", "release of batches"))

    with pytest.raises(CommandError, match="co-simulation-model-altered"):
        _simulate(_rows(), folder)


@pytest.mark.parametrize(
    ("out", "intended_use", "code"),
    [
        ("cho-fmu@1", "  ", "co-simulation-intended-use-missing"),
        ("../cho@1", "advice", "unknown-batch-model"),
        ("penicillin-batch@2", "advice", "batch-model-exists"),
    ],
)
def test_an_import_needs_a_free_name_and_an_intended_use(
    folder: Path, out: str, intended_use: str, code: str
) -> None:
    with pytest.raises(CommandError, match=code):
        _import(folder, out, intended_use)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (f"{_REAL}|{_INTEGER}", "fmu-variables-unsupported"),
        ("modelId|needsExecutionTool='true' modelId", "fmu-variables-unsupported"),
        ("culture|other", "fmu-platform-missing"),
    ],
)  # fmt: skip
def test_an_fmu_that_could_not_run_here_is_not_kept(folder: Path, change: str, code: str) -> None:
    old, new = change.split("|")
    place = f"binaries/{archives.platform_folder('2')}/{fmus.IDENTIFIER}.so"
    text = fmus.description(Plan()).replace(old, new)
    path = folder / "culture.fmu"
    path.write_bytes(fmus.packed({archives.DESCRIPTION: text.encode(), place: b"library"}))

    with pytest.raises(CommandError, match=code):
        call_command("twins", "import-fmu", fmu=path, out=LABEL, intended_use="advice")

    assert co_simulation_models.labels() == ()


def test_an_fmu_is_registered_once_with_its_dossier(db: None, imported: Path) -> None:
    first = co_simulation_models.register(LABEL, at=NOON)
    again = co_simulation_models.register(LABEL, at=NOON)

    assert first.pk == again.pk
    assert ModelVersion.objects.count() == 1
    assert first.code_digest == co_simulation_models.open_(LABEL).sha256
    assert json.dumps(first.declarations)


def test_an_unknown_model_names_those_that_there_are(imported: Path, folder: Path) -> None:
    with pytest.raises(CommandError, match=f"known: {LABEL}"):
        call_command(
            "twins", "simulate", model="no@1", inputs=folder / "in.csv", out=folder / "out.csv"
        )
