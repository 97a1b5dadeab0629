"""A quality is foreseen from the past only, with skill that is told honestly."""

from dataclasses import replace

import numpy as np
import pytest

from twins.models.process_monitoring import encoding, foreseeing, history, quality, skill
from twins.models.process_monitoring.encoding import Columns
from twins.models.process_monitoring.quality import Task


def _task(seed: int, *, strength: float = 1.0, drift: float = 0.0, count: int = 300) -> Task:
    generator = np.random.default_rng(seed)
    columns = {f"x{one}": generator.standard_normal(count) for one in range(6)}
    columns["x5"][::7] = np.nan
    texts = {"line": tuple(np.array(["A", "B", "C"])[generator.integers(0, 3, count)])}
    offset = np.array([{"A": 0.0, "B": 1.0, "C": -1.0}[one] for one in texts["line"]])
    target = strength * (columns["x0"] - 0.5 * columns["x1"] + offset)
    target = (
        target
        + generator.standard_normal(count)
        + drift * np.cumsum(generator.standard_normal(count))
    )
    return Task(Columns(columns, texts, count), target, is_event=False)


def _skill(task: Task) -> skill.Skill:
    return skill.of(quality.forward(task, first=100, step=10), is_event=task.is_event)


def test_what_columns_say_is_found_and_its_share_is_known() -> None:
    found = _skill(_task(1))

    # Variance 1 + .25 + 2/3 of 2.92 in all.
    assert found.r2 == pytest.approx(0.65, abs=0.12)
    assert found.has_skill
    assert found.skill.low < found.skill.value < found.skill.high


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_noise_has_no_skill(seed: int) -> None:
    assert not _skill(_task(seed, strength=0.0)).has_skill


def test_nothing_that_came_later_changes_what_was_foreseen() -> None:
    task = _task(4, drift=0.3)
    other = replace(task, target=np.concatenate([task.target[:200], -task.target[200:]]))

    first, second = (quality.forward(one, first=100, step=10) for one in (task, other))

    known = first.rows < 201
    assert np.array_equal(first.said[known], second.said[known])
    assert np.array_equal(first.low[known], second.low[known], equal_nan=True)
    for name in first.trivial:
        assert np.array_equal(first.trivial[name][known], second.trivial[name][known])


def test_a_result_counts_only_when_it_is_known() -> None:
    target = np.arange(10.0)

    found = history.trivial(target, None, known_after=3)

    assert np.isnan(found["last"][:3]).all()
    assert found["last"][3:].tolist() == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    assert found["mean so far"][5] == 1.0


def test_intervals_hold_their_share_though_the_noise_doubles() -> None:
    generator = np.random.default_rng(5)
    size = np.where(np.arange(1500) < 750, 1.0, 2.0)
    errors = np.abs(size * generator.standard_normal(1500))

    low, high = quality.intervals(errors, np.zeros(1500), known_after=1)

    told = np.isfinite(low)
    assert told.sum() == 1470
    assert float((errors <= high)[told].mean()) == pytest.approx(0.9, abs=0.015)


def test_random_folds_flatter_where_the_past_drifts() -> None:
    task = replace(_task(6, drift=0.5), with_history=False)
    slow = np.cumsum(np.random.default_rng(7).standard_normal(300))
    with_time = Columns(
        {**task.columns.numbers, "age": np.arange(300.0), "slow": slow}, task.columns.texts, 300
    )
    task = replace(task, columns=with_time)

    random = skill.of(quality.shuffled(task, folds=5, seed=1), is_event=False)

    assert random.r2 > _skill(task).r2 + 0.1


def test_an_event_gets_a_probability_and_is_ranked() -> None:
    base = _task(8)
    event = replace(base, target=(base.target > 1.0).astype(np.float64), is_event=True)

    found = quality.forward(event, first=100, step=10)
    told = skill.of(found, is_event=True)

    assert ((found.said >= 0.0) & (found.said <= 1.0)).all()
    assert told.auroc is not None
    assert told.auroc.low > 0.7


def test_the_ranking_counts_ties_half() -> None:
    actual = np.array([0.0, 0.0, 1.0, 1.0])

    assert skill.auroc(actual, np.array([0.1, 0.5, 0.5, 0.9])) == 0.875
    assert skill.auroc(actual, np.zeros(4)) == 0.5
    assert np.isnan(skill.auroc(np.ones(4), np.zeros(4)))


def test_what_the_past_never_saw_is_out_of_domain() -> None:
    task = _task(9)
    encoder = encoding.encoder_of(task.columns)
    odd = task.columns.taken(np.arange(3))
    numbers = {name: one.copy() for name, one in odd.numbers.items()}
    numbers["x0"][1] = 50.0
    odd = Columns(numbers, {"line": ("A", "A", "new")}, 3)

    reasons = encoding.outside(odd, encoder)

    assert reasons[0] == ""
    assert "x0 is 50" in reasons[1]
    assert "line new" in reasons[2]


def test_parts_of_a_prediction_add_up_to_it() -> None:
    task = _task(10)
    inputs = quality.inputs_of(task)
    regression = foreseeing.regression_of(task)

    total = regression.constant + quality.parts(inputs, regression).sum(axis=1)

    assert np.allclose(quality.foreseen(inputs, regression), total, rtol=1e-12)
