"""A running penicillin batch is estimated from what was known, and from nothing else."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from twins.models.penicillin_fed_batch import following, replaying
from twins.models.penicillin_fed_batch import layout as at
from twins.models.penicillin_fed_batch.simulation import Run
from twins.models.requests import Observation


def test_what_is_said_of_a_sample_does_not_depend_on_what_came_later(
    measured: dict[str, np.ndarray],
) -> None:
    whole = following.features(measured)

    short = following.features({tag: column[:170] for tag, column in measured.items()})

    np.testing.assert_array_equal(short.mean, whole.mean[:170])
    np.testing.assert_array_equal(short.innovation, whole.innovation[:170])


def test_residuals_have_the_spread_that_was_predicted(measured: dict[str, np.ndarray]) -> None:
    found = following.features(measured)

    rms = np.sqrt(np.nanmean(found.normalised[20:] ** 2, axis=0))
    assert np.all(rms[:6] < 1.3)
    assert np.all(rms[:6] > 0.5)


def test_hidden_penicillin_is_known_better_than_from_the_last_laboratory_value(
    measured: dict[str, np.ndarray], nominal: Run
) -> None:
    found, _ = following.features(measured).column("penicillin_g_l")

    true = nominal.states[1:, at.P]
    last = np.where(np.isnan(measured["lab_P"]), 0, np.arange(len(true)))
    held = np.nan_to_num(measured["lab_P"][np.maximum.accumulate(last)])
    assert np.sqrt(np.mean((found - true) ** 2)) < 0.3 * np.sqrt(np.mean((held - true) ** 2))


def test_a_late_value_gives_the_bits_of_one_that_was_there_from_the_start(
    observations: list[Observation],
) -> None:
    early = [one for one in observations if one.reported_h <= 30.0]
    before = replaying.estimate(early, as_of_h=30.0, seed=1)

    going_on = replaying.estimate(observations, as_of_h=33.0, seed=1, before=before)
    afresh = replaying.estimate(observations, as_of_h=33.0, seed=1)

    assert going_on.replayed_from > 100
    assert going_on.ensembles.tobytes() == afresh.ensembles.tobytes()


def test_a_correction_is_replayed_from_the_time_of_sampling(
    observations: list[Observation],
) -> None:
    place = next(i for i, one in enumerate(observations) if one.tag == "lab_P")
    wrong = replace(observations[place], value=observations[place].value + 3.0)
    mistaken = [*observations[:place], wrong, *observations[place + 1 :]]
    before = replaying.estimate(mistaken, as_of_h=30.0, seed=1)

    correction = replace(observations[place], reported_h=31.0)
    corrected = replaying.estimate([*mistaken, correction], as_of_h=32.0, seed=1, before=before)

    right = replaying.estimate(observations, as_of_h=32.0, seed=1)
    assert corrected.replayed_from == round(wrong.at_h / 0.2) - 1
    assert corrected.ensembles.tobytes() == right.ensembles.tobytes()
    assert before.now("penicillin_g_l") != right.now("penicillin_g_l")


def test_order_and_repetition_of_messages_change_no_bit(observations: list[Observation]) -> None:
    one = replaying.estimate(observations, as_of_h=20.0, seed=3)

    other = replaying.estimate([*reversed(observations), *observations], as_of_h=20.0, seed=3)

    assert one.ensembles.tobytes() == other.ensembles.tobytes()


def test_missing_values_are_bridged(measured: dict[str, np.ndarray], nominal: Run) -> None:
    holes = {tag: column.copy() for tag, column in measured.items()}
    for tag in ("DO2", "Wt", "Fs", "CO2outgas"):
        holes[tag][60:90] = np.nan

    found, sd = following.features(holes).column("penicillin_g_l")

    assert np.all(np.isfinite(found))
    assert abs(found[-1] - nominal.states[-1, at.P]) < 4.0 * max(sd[-1], 0.05)


@pytest.mark.shared
def test_hidden_penicillin_of_a_campaign_is_within_half_a_gram(shared: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    folder = shared / "data" / "indpensim"
    chosen = [("batch", "in", [1, 2, 60])]
    measured = parquet.read_table(folder / "dev_measured.parquet", filters=chosen)
    truth = parquet.read_table(folder / "dev_truth.parquet", filters=chosen)
    whose = measured["batch"].to_numpy()
    errors = []

    for batch in (1, 2, 60):
        mine = whose == batch
        columns = {
            name: measured[name].to_numpy()[mine].astype(np.float64)
            for name in measured.column_names
        }
        found, _ = following.features(columns).column("penicillin_g_l")
        errors.append(found - truth["true_P"].to_numpy()[mine])

    assert np.sqrt(np.nanmean(np.concatenate(errors) ** 2)) < 0.5
