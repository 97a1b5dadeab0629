"""A continuous process is judged sample by sample, from what was known by then."""

import numpy as np
import pytest

from tests.twins.models.process_monitoring import made_up
from twins.models.process_monitoring import artefacts, continuous, summing
from twins.models.process_monitoring.continuous import Monitor

SIGNALS = tuple("abcdef")


@pytest.fixture(scope="module")
def monitor() -> Monitor:
    return continuous.train(SIGNALS, made_up.continuous(800, 1), false_alarm_rate=0.01)


def test_a_broken_relation_is_alarmed_with_its_signal(monitor: Monitor) -> None:
    said = continuous.watch(made_up.continuous(600, 2, shift_from=300), monitor)

    assert said.alarm[:300].mean() <= 0.05
    assert said.alarm[320:].mean() >= 0.9
    first, last = continuous.episodes(said.alarm[300:])[0]
    reason = continuous.reasons_of(said, monitor, first + 300, last + 300)[0]
    assert (reason.signal, reason.is_higher) == ("c", True)
    assert "c higher than normal in rows 3" in str(reason)


def test_parts_add_up_to_every_statistic(monitor: Monitor) -> None:
    values = made_up.continuous(50, 3)
    said = continuous.watch(values, monitor)

    found = continuous.statistics(said.parts)

    for place, name in enumerate(continuous.STATISTICS):
        assert np.array_equal(summing.total(said.parts[name]), found[:, place])
        assert said.parts[name].shape == (50, 6)


def test_a_sample_s_answer_depends_on_nothing_later(monitor: Monitor) -> None:
    values = made_up.continuous(300, 4, shift_from=150)

    whole, part = continuous.watch(values, monitor), continuous.watch(values[:170], monitor)

    assert np.array_equal(whole.score[:170], part.score)
    for name in continuous.STATISTICS:
        assert np.array_equal(whole.parts[name][:170], part.parts[name])


def test_normal_samples_are_alarmed_about_as_seldom_as_promised(monitor: Monitor) -> None:
    shares = [
        continuous.watch(made_up.continuous(1000, seed), monitor).alarm.mean()
        for seed in range(10, 16)
    ]

    assert float(np.mean(shares)) <= 0.03


def test_a_silent_signal_is_undecided_and_a_foreign_value_out_of_domain(monitor: Monitor) -> None:
    values = made_up.continuous(100, 5)
    values[50:, 1] = np.nan
    values[20, 0] = 1e4

    verdicts = continuous.verdicts(continuous.watch(values, monitor))

    assert verdicts[20] == "out-of-domain"
    assert "undecided" not in verdicts[50 : 50 + continuous.HOLD]
    assert set(verdicts[52 + continuous.HOLD :]) == {"undecided"}


def test_a_kept_monitor_gives_the_same_bits(monitor: Monitor) -> None:
    rounded = artefacts.rounded(monitor)
    again, _ = artefacts.from_text(artefacts.to_text(monitor, {}))
    values = made_up.continuous(80, 6)

    assert isinstance(again, Monitor)
    assert np.array_equal(
        continuous.watch(values, rounded).score, continuous.watch(values, again).score
    )
