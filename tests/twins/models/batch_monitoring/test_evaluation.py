"""Shares carry their exact interval; a twin is measured beside its anchors in one run."""

from dataclasses import replace

import numpy as np
import pytest

from tests.twins.models.batch_monitoring import campaign
from twins.models.batch_monitoring import anchors, artefacts, evaluation, model
from twins.models.batch_monitoring.evaluation import Judged
from twins.models.penicillin_fed_batch import measuring


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    # Clopper and Pearson 1934; the closed forms at the ends, the rest by the F distribution.
    [
        (0, 10, 0.0, 1 - 0.025**0.1),
        (10, 10, 0.025**0.1, 1.0),
        (5, 10, 0.18709, 0.81291),
        (1, 20, 0.00127, 0.24873),
    ],
)
def test_the_interval_of_a_share_is_that_of_clopper_and_pearson(
    hits: int, of: int, low: float, high: float
) -> None:
    found = evaluation.interval(hits, of)

    assert found == pytest.approx((low, high), abs=1e-5)


def test_the_report_counts_alarms_after_the_onset_only_and_says_them_by_kind() -> None:
    twin = artefacts.from_text(campaign.trained_text())[0]
    judged = []
    for batch in campaign.batches()[28:]:
        said = model.answer(twin, batch.grid)
        judged.append(Judged(batch, said.alarm, said))
    deviating = [one for one in judged if not one.batch.is_normal]
    too_early = [replace(one, alarm=np.ones_like(one.alarm)) for one in deviating]

    report = "\n".join(evaluation.table(judged, {"another": too_early}, deviating))

    assert "another          0.000 [0.000, 0.522]  0/5" in report
    assert "sugar_feed     1.000 [0.478, 1.000]  5/5" in report
    assert "penicillin_40h" in report
    assert evaluation.lead_h(deviating) == pytest.approx(
        [50.0 - _first_h(one) for one in deviating]
    )
    assert evaluation.lead_h(too_early) == []


def _first_h(one: Judged) -> float:
    found = evaluation.first_alarm_h(one)
    assert found is not None
    return found


def test_the_filter_says_nothing_that_depends_on_later_samples_or_on_silent_probes() -> None:
    time_h, found = campaign.columns(3, steps=60)
    found["DO2"][20:] = np.nan

    whole = anchors.filtered(campaign.on_grid(time_h, found))
    part = anchors.filtered(
        campaign.on_grid(time_h[:40], {name: one[:40] for name, one in found.items()})
    )

    assert np.array_equal(whole[:40], part)
    assert np.isfinite(whole).all()
    oxygen = measuring.TAGS.index("DO2")
    assert (whole[20:, oxygen] == whole[19, oxygen]).all()
