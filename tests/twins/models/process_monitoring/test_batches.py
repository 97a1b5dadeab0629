"""A batch is compared with normal ones, and the comparison reads like a sentence."""

import numpy as np
import pytest

from tests.twins.models.process_monitoring import made_up
from twins.models.process_monitoring import artefacts, batches, limits, skill, summing
from twins.models.process_monitoring.aligning import CannotAlign, Run
from twins.models.process_monitoring.batches import Monitor, Options, Survey


@pytest.fixture(scope="module")
def survey() -> Survey:
    return batches.survey(made_up.SIGNALS, made_up.batches(40), Options())


@pytest.fixture(scope="module")
def monitor(survey: Survey) -> Monitor:
    return survey.monitor


def test_a_warm_stretch_is_odd_and_said_with_signal_direction_and_time(monitor: Monitor) -> None:
    judged = batches.judge(made_up.too_warm(made_up.batch("X", 99)), monitor)

    assert judged.verdict == "odd"
    reason = judged.reasons[0]
    assert (reason.signal, reason.is_higher) == ("temperature", True)
    assert abs(reason.first - 40) <= 3
    assert abs(reason.last - 59) <= 3
    assert str(reason).startswith("temperature higher than normal from ")
    assert "% of SPE" in str(reason)


def test_parts_add_up_to_both_statistics_to_the_bit(monitor: Monitor) -> None:
    judged = batches.judge(made_up.too_warm(made_up.batch("X", 98)), monitor)

    assert judged.parts is not None
    assert [summing.total(one.ravel()) for one in judged.parts] == [judged.t2, judged.spe]
    shares = [reason.share for reason in judged.reasons if reason.statistic == "SPE"]
    assert 0.0 < sum(shares) <= 1.0


def test_of_further_normal_batches_the_promised_share_is_odd(monitor: Monitor) -> None:
    judged = [batches.judge(made_up.batch("X", seed), monitor) for seed in range(1000, 1200)]

    odd = sum(one.verdict == "odd" for one in judged)
    # 5 % are promised; 40 batches of reference know that to a few percent.
    assert odd <= 22


def test_a_batch_that_took_too_long_says_so(monitor: Monitor) -> None:
    judged = batches.judge(made_up.batch("X", 97, samples=95), monitor)

    assert judged.verdict == "odd"
    assert judged.reasons[0].signal == "duration"
    assert "longer than normal" in str(judged.reasons[0])
    assert "95 samples against" in str(judged.reasons[0])


def test_phases_are_aligned_with_themselves() -> None:
    runs = made_up.batches(30, phased=True)
    found = batches.survey(made_up.SIGNALS, runs, Options())
    odd = made_up.too_warm(made_up.batch("X", 99, phased=True))

    judged = batches.judge(odd, found.monitor)

    assert found.monitor.alignment.phases.tolist() == [1.0, 2.0, 3.0]
    assert "(phase 2)" in str(judged.reasons[0])


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda run: Run("X", run.values[:20]), "20 samples"),
        (
            lambda run: Run("X", np.where([True, False, False], np.nan, run.values)),
            "temperature is",
        ),
    ],
)
def test_what_cannot_be_compared_is_out_of_domain(
    monitor: Monitor, spoil: object, why: str
) -> None:
    judged = batches.judge(spoil(made_up.batch("X", 1)), monitor)  # type: ignore[operator]

    assert judged.verdict == "out-of-domain"
    assert why in judged.outside


def test_a_lost_or_backward_phase_is_out_of_domain() -> None:
    found = batches.survey(made_up.SIGNALS, made_up.batches(30, phased=True), Options())
    one = made_up.batch("X", 1, phased=True)
    assert one.phase is not None

    for phase in (None, one.phase[::-1], np.minimum(one.phase, 2.0), one.phase + 7.0):
        assert batches.judge(Run("X", one.values, phase), found.monitor).verdict == "out-of-domain"


def test_odd_batches_in_the_reference_are_named_and_do_not_set_the_limit() -> None:
    runs = made_up.batches(40)
    spoilt = [
        made_up.too_warm(one, by=15.0) if one.name in ("B-7", "B-23") else one for one in runs
    ]

    found = batches.survey(made_up.SIGNALS, spoilt, Options())

    assert found.dropped == ("B-7", "B-23")
    verdicts = {one.name: one.verdict for one in found.judged}
    assert (verdicts["B-7"], verdicts["B-23"]) == ("odd", "odd")
    assert sum(one == "odd" for one in verdicts.values()) <= 4


def test_a_reference_that_is_mixed_too_small_or_without_real_phases_is_refused() -> None:
    runs = made_up.batches(40)
    generator = np.random.default_rng(1)
    mixed = []
    for place, run in enumerate(runs):
        values = run.values.copy()
        if place % 3 == 0:
            start, signal = int(generator.integers(5, 40)), int(generator.integers(0, 3))
            values[start : start + 8, signal] *= 1.8
        mixed.append(Run(run.name, values))

    with pytest.raises(batches.ReferenceMixed, match="unlike the others"):
        batches.survey(made_up.SIGNALS, mixed, Options())
    with pytest.raises(limits.TooFewToPromise, match="19 are needed"):
        batches.survey(made_up.SIGNALS, runs[:15], Options())
    with pytest.raises(CannotAlign, match="a phase has"):
        noisy = [Run(one.name, one.values, one.values[:, 0]) for one in runs]
        batches.survey(made_up.SIGNALS, noisy, Options())


def test_a_quality_is_foreseen_from_trajectories_with_an_interval() -> None:
    generator = np.random.default_rng(2)
    runs = []
    for place, run in enumerate(made_up.batches(60)):
        strength = float(run.values[20:40, 0].mean())
        quality = 90.0 + 0.5 * (strength - 80.0) + 0.3 * generator.standard_normal()
        runs.append(Run(f"B-{place}", run.values, quality=quality))
    further = [made_up.batch("X", seed) for seed in range(1000, 1040)]

    found = batches.survey(made_up.SIGNALS, runs, Options())
    judged = [batches.judge(one, found.monitor) for one in further]

    assert found.foreseen is not None
    assert skill.of(found.foreseen, is_event=False).skill.low > 0.7
    truth = [90.0 + 0.5 * (float(one.values[20:40, 0].mean()) - 80.0) for one in further]
    away = np.abs(np.array([one.quality for one in judged]) - truth)
    assert float((away <= found.monitor.quality_width).mean()) >= 0.85


def test_a_kept_monitor_gives_the_same_bits_and_an_altered_one_none(monitor: Monitor) -> None:
    text = artefacts.to_text(monitor, {"label": "a@1"})
    again, dossier = artefacts.from_text(text)
    run = made_up.too_warm(made_up.batch("X", 99))

    assert isinstance(again, Monitor)
    assert dossier["label"] == "a@1"
    assert artefacts.to_text(again, {"label": "a@1"}) == text
    first, second = (batches.judge(run, one) for one in (artefacts.rounded(monitor), again))
    assert (first.t2, first.spe, first.score) == (second.t2, second.spe, second.score)
    with pytest.raises(artefacts.NotATwin):
        artefacts.from_text(text.replace('"limits": [', '"limits": [1', 1))
