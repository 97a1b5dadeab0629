"""Mechanistic twins are checked and fitted by one command each."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from tests.twins.models.cho_fed_batch.test_fitting import TIMES, culture
from tests.twins.models.penicillin_fed_batch import median_batch
from twins.models.batch_monitoring.signals import LABORATORY_NAMES, ONLINE_NAMES
from twins.models.cho_fed_batch import cross_check

COLUMNS = ("viable_cells_1e6_per_ml", "viability_pct", "glucose_mmol_l")


@pytest.mark.parametrize(("model", "states"), [("cho-fed-batch", 8), ("penicillin-fed-batch", 33)])
def test_a_cross_check_prints_a_row_a_state_with_both_errors(
    model: str, states: int, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("twins", "cross-check", model=model)

    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == states + 2
    assert "RK4 against LSODA" in lines[-1]
    assert "step-halving error" in lines[-1]


def test_a_cross_check_above_its_tolerance_is_refused_with_the_table() -> None:
    with pytest.raises(CommandError, match=r"twin-cross-check-failed(.|\n)*viable_cells"):
        call_command("twins", "cross-check", model="cho-fed-batch", tolerance=1e-12)


def test_a_twin_without_a_second_solver_is_refused() -> None:
    with pytest.raises(CommandError, match="twin-without-cross-check"):
        call_command("twins", "cross-check", model="penicillin-batch@2")


def _file(path: Path, *, start_h: float = 0.0) -> Path:
    with path.open("w", newline="") as handle:
        out = csv.writer(handle)
        out.writerow(("batch", "time_h", "feed_rate_l_per_h", *COLUMNS))
        for seed in (1, 2):
            one = culture(seed, COLUMNS, mu_max=0.034)
            out.writerow((f"B-{seed}", start_h, 0.0, 0.4, 97.0, 36.0))
            for at, hour in enumerate(TIMES):
                rate = 0.0 if hour < 72 else 0.3 if hour < 168 else 0.5
                values = (one.measured[name][at] for name in COLUMNS)
                out.writerow((f"B-{seed}", hour, rate, *values))
    return path


ASSUMED = [
    *(
        (name, value)
        for name, value in cross_check.REFERENCE_INITIAL.items()
        if name not in COLUMNS
    ),
    ("feed_glucose_mmol_l", 600.0),
    ("feed_glutamine_mmol_l", 60.0),
]


def test_a_fit_prints_what_the_cultures_know_and_what_was_assumed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command(
        "twins", "fit", model="cho-fed-batch", data=_file(tmp_path / "c.csv"), assume=ASSUMED,
        constants="mu_max,ki_lac,q_mab",
    )  # fmt: skip

    said = capsys.readouterr().out
    row = next(line for line in said.splitlines() if line.startswith("mu_max")).split()
    assert float(row[1]) == 0.039
    assert float(row[2]) == pytest.approx(0.034, rel=0.1)
    assert "assumed: volume_l = 150" in said
    assert "not seen: q_mab" in said


@pytest.mark.parametrize(
    ("assumed", "start_h", "code"),
    [
        (ASSUMED[:-1], 0.0, "batch-columns-missing"),
        ([*ASSUMED, ("luck", 1.0)], 0.0, "cho-cultures-unusable"),
        (ASSUMED, 1.0, "cho-cultures-unusable"),
        ([(name, np.nan) for name, _ in ASSUMED], 0.0, "cho-cultures-unusable"),
    ],
)
def test_a_fit_assumes_nothing_by_itself(
    tmp_path: Path, assumed: list[tuple[str, float]], start_h: float, code: str
) -> None:
    data = _file(tmp_path / "c.csv", start_h=start_h)

    with pytest.raises(CommandError, match=code):
        call_command("twins", "fit", model="cho-fed-batch", data=data, assume=assumed)


def _batches(path: Path, *, since: int = 0) -> Path:
    """Write two penicillin batches whose probes of oxygen differ by noise only."""
    columns = ("batch", "time_h", *ONLINE_NAMES, *LABORATORY_NAMES)
    with path.open("w", newline="") as handle:
        out = csv.writer(handle)
        out.writerow(columns)
        for seed in (1, 2):
            batch = median_batch.batch(300, seed=seed)
            for row in range(since, 300):
                values = (batch[tag][row] for tag in columns[2:])
                shown = ("" if np.isnan(value) else float(value) for value in values)
                out.writerow((f"B-{seed}", round(0.2 * (row + 1), 1), *shown))
    return path


@pytest.mark.django_db
def test_a_fit_to_fermentations_prints_value_spread_and_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = _batches(tmp_path / "b.csv")

    call_command(
        "twins", "fit", model="penicillin-fed-batch", data=data, constants="alpha_kla,c_paa"
    )

    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("2 batches; step-halving error ")
    row = next(line for line in said if line.startswith("alpha_kla")).split()
    assert float(row[1]) == 85.0
    assert 30.0 < float(row[2]) < 200.0
    assert 0.0 < float(row[3]) < 5.0
    assert said[-1].startswith("condition ")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("asked", "since", "named"),
    [
        ({"constants": "mu_z"}, 0, "mu_z"),
        ({"assume": [("mu_p", 0.04)]}, 0, "mu_p"),
        ({}, 50, "B-1"),
    ],
)
def test_a_fit_to_fermentations_that_cannot_be_done_is_refused_in_words(
    tmp_path: Path, asked: dict[str, Any], since: int, named: str
) -> None:
    data = _batches(tmp_path / "b.csv", since=since)

    with pytest.raises(CommandError, match=f"penicillin-batches-unusable.*{named}"):
        call_command("twins", "fit", model="penicillin-fed-batch", data=data, **asked)
