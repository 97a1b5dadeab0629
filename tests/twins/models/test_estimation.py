"""The filter corrects by Bayes' rule, counts late results when they were sampled, and repeats."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from twins.models import ensemble, estimation
from twins.models.cho_fed_batch import measuring, members
from twins.models.cho_fed_batch.equations import GLUCOSE, MAB, VOLUME
from twins.models.requests import ForecastRequest, Observation

Observed = Callable[..., tuple[Observation, ...]]
Asked = Callable[..., ForecastRequest]


def means(estimate: estimation.Estimate) -> list[float]:
    return [float(one) for one in ensemble.mean(estimate.rows)]


def test_one_reading_moves_mean_and_variance_as_kalman_says(asked: Asked) -> None:
    before = estimation.assimilate(asked((), as_of_h=1.0))
    reading = Observation("volume_l", 1.0, 151.0, 1.0)

    after = estimation.assimilate(asked((reading,), as_of_h=1.0))

    prior, variance = means(before)[VOLUME], float(ensemble.spread(before.rows)[VOLUME]) ** 2
    noise = 0.30**2 * (1.0 + 0.2**2)
    gain = variance / (variance + noise)
    assert means(after)[VOLUME] == pytest.approx(prior + gain * (151.0 - prior), rel=1e-12)
    assert float(ensemble.spread(after.rows)[VOLUME]) ** 2 == pytest.approx(
        (1.0 - gain) * variance, rel=1e-9
    )


def test_a_reading_corrects_only_what_it_can_speak_about(asked: Asked) -> None:
    before = estimation.assimilate(asked((), as_of_h=1.0))
    reading = Observation("volume_l", 1.0, 152.0, 1.0)

    after = estimation.assimilate(asked((reading,), as_of_h=1.0))

    changed = {
        row
        for row in range(len(measuring.ROW_NAMES))
        if before.rows[row].tobytes() != after.rows[row].tobytes()
    }
    assert changed == set(measuring.CORRECTS["volume_l"])


def test_a_wild_reading_counts_as_four_standard_deviations(asked: Asked) -> None:
    def estimated(value: float) -> estimation.Estimate:
        reading = Observation("volume_l", 1.0, value, 1.0)
        return estimation.assimilate(asked((reading,), as_of_h=1.0))

    assert estimated(500.0).rows.tobytes() == estimated(5000.0).rows.tobytes()
    assert estimated(500.0).innovations[0].standardised > 100.0


def test_a_late_result_counts_at_the_time_of_sampling(asked: Asked, observed: Observed) -> None:
    online = tuple(one for one in observed(1) if one.tag in ("glucose_mmol_l", "volume_l"))
    result = Observation("lab_mab_g_l", 20.0, 0.08, 28.0)

    without = estimation.assimilate(asked(online, as_of_h=30.0))
    late = estimation.assimilate(asked((*online, result), as_of_h=30.0))
    prompt = estimation.assimilate(asked((*online, replace(result, reported_h=20.0)), as_of_h=30.0))
    moved = estimation.assimilate(asked((*online, replace(result, at_h=28.0)), as_of_h=30.0))
    early = estimation.assimilate(asked((*online, result), as_of_h=27.0))

    assert late.rows.tobytes() == prompt.rows.tobytes()
    assert means(late)[MAB] != means(without)[MAB]
    assert means(late)[MAB] != means(moved)[MAB]
    assert early.rows.tobytes() == estimation.assimilate(asked(online, as_of_h=27.0)).rows.tobytes()


def test_going_on_from_an_estimate_gives_the_same_bits(asked: Asked, observed: Observed) -> None:
    online = tuple(one for one in observed(1) if not one.tag.startswith("lab_"))
    whole = estimation.assimilate(asked(online, as_of_h=36.0))

    part = estimation.assimilate(asked(online, as_of_h=20.0))
    resumed = estimation.assimilate(asked(online, as_of_h=36.0), start=part)

    assert resumed.rows.tobytes() == whole.rows.tobytes()
    assert resumed.innovations == whole.innovations


def test_a_pump_that_delivers_less_is_found_and_glucose_stays_true(
    asked: Asked, observed: Observed
) -> None:
    failing = estimation.assimilate(asked(observed(1, "feed-pump-degraded"), as_of_h=140.0))
    healthy = estimation.assimilate(asked(observed(1), as_of_h=140.0))

    assert means(failing)[measuring.PUMP] == pytest.approx(0.45, abs=0.12)
    assert means(healthy)[measuring.PUMP] == pytest.approx(1.0, abs=0.12)


def test_a_drifting_probe_is_told_from_a_changing_process(asked: Asked, observed: Observed) -> None:
    drifting = estimation.assimilate(asked(observed(1, "glucose-probe-drift"), as_of_h=200.0))
    healthy = estimation.assimilate(asked(observed(1), as_of_h=200.0))

    assert means(drifting)[measuring.PROBE] < -4.0
    assert abs(means(healthy)[measuring.PROBE]) < 2.0
    assert means(drifting)[GLUCOSE] == pytest.approx(means(healthy)[GLUCOSE], abs=5.0)


def test_no_member_leaves_its_declared_range(asked: Asked, observed: Observed) -> None:
    estimate = estimation.assimilate(asked(observed(1, "feed-pump-degraded"), as_of_h=230.0))

    assert float(np.min(estimate.rows[: members.STATES])) >= 0.0
    np.testing.assert_array_equal(estimate.rows, members.bounded(estimate.rows))
