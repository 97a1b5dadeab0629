"""Scores are what the textbooks say, with exact intervals, and no skill is seen where none is."""

import itertools
import math
import random

import pytest

from twins.models.qualification import criteria, proportions, scoring
from twins.models.qualification.criteria import Comparison, Criterion
from twins.models.qualification.scoring import Answer, AnswersIncomplete, Label

EVENT, NORMAL = Label("a", 10.0, 30.0), Label("b", None)


def _score(*pairs: tuple[Label, Answer]) -> scoring.Score:
    labels = {str(at): label for at, (label, _) in enumerate(pairs)}
    answers = {str(at): answer for at, (_, answer) in enumerate(pairs)}
    return scoring.score(labels, answers)["all"]


def test_the_interval_of_a_share_is_that_of_clopper_and_pearson() -> None:
    found = proportions.clopper_pearson(0, 10)
    assert found.low == 0.0
    assert found.high == pytest.approx(1.0 - 0.025**0.1, abs=1e-12)
    found = proportions.clopper_pearson(1, 10)
    assert found.low == pytest.approx(1.0 - 0.975**0.1, abs=1e-12)
    assert found.high == pytest.approx(0.44501612, abs=1e-7)


@pytest.mark.parametrize("trials", [1, 2, 7])
def test_the_ends_of_an_interval_have_the_tails_that_define_it(trials: int) -> None:
    for successes in range(trials + 1):
        found = proportions.clopper_pearson(successes, trials)
        if successes:
            assert proportions.at_least(successes, trials, found.low) == pytest.approx(0.025)
        if successes < trials:
            assert proportions.at_most(successes, trials, found.high) == pytest.approx(0.025)


def test_chance_is_what_counting_all_orders_of_the_labels_gives() -> None:
    alarms = [True, True, True, False, False, False, False]
    hits = 2
    orders = list(itertools.combinations(range(7), 3))
    as_good = sum(sum(alarms[at] for at in order) >= hits for order in orders)

    found = proportions.fisher(hits=hits, misses=1, false_alarms=1, silences=3)

    assert found == pytest.approx(as_good / len(orders))


@pytest.mark.requirement("A22-4")
def test_the_confusion_matrix_and_what_follows_from_it() -> None:
    found = _score(
        *[(EVENT, Answer(12.0))] * 6,
        *[(EVENT, Answer(None))] * 2,
        *[(NORMAL, Answer(3.0))] * 1,
        *[(NORMAL, Answer(None))] * 11,
    )

    values = {name: metric.value for name, metric in found.metrics.items()}
    assert values["sensitivity"] == 6 / 8
    assert values["specificity"] == 11 / 12
    assert values["accuracy"] == 17 / 20
    assert values["precision"] == 6 / 7
    assert values["f1"] == pytest.approx(12 / 15)
    assert values["false_alarm_share"] == 1 / 12
    assert values["lead_time_h"] == 18.0
    assert values["skill"] == 6 / 8 - 1 / 12
    assert found.metrics["f1"].interval is not None
    assert found.metrics["f1"].interval.low < 12 / 15 < found.metrics["f1"].interval.high
    assert found.has_skill


def test_an_alarm_before_the_onset_is_false_and_the_event_is_missed() -> None:
    found = _score((EVENT, Answer(9.0)), (EVENT, Answer(10.0)), (NORMAL, Answer(None)))

    assert (found.confusion.hits, found.confusion.misses, found.confusion.early_alarms) == (1, 1, 1)


@pytest.mark.requirement("A22-9")
def test_whoever_is_undecided_has_not_warned_and_is_counted() -> None:
    found = _score((EVENT, Answer(12.0, is_undecided=True)), (NORMAL, Answer(None)))

    assert found.confusion.misses == 1
    assert found.metrics["undecided_share"].value == 0.5


@pytest.mark.requirement("A22-9")
def test_calibration_and_coverage_are_measured() -> None:
    covered = Label("a", 10.0, values=(1.0, 2.0))
    found = _score(
        (covered, Answer(12.0, 0.95, ((0.5, 1.5), (2.5, 3.0)))),
        (EVENT, Answer(12.0, 0.95)),
        (NORMAL, Answer(None, 0.15)),
        (NORMAL, Answer(None, 0.15)),
    )

    assert found.metrics["ece"].value == pytest.approx((0.1 + 0.3) / 4)
    assert found.metrics["interval_coverage"].value == 0.5
    brier = (2 * 0.05**2 + 2 * 0.15**2) / 4
    assert found.metrics["probability_skill"].value == pytest.approx(1 - brier / 0.25)


@pytest.mark.requirement("A22-4")
def test_a_guess_has_skill_no_more_often_than_stated() -> None:
    generator = random.Random(1)
    labels = [EVENT] * 20 + [NORMAL] * 20
    skilled = 0
    for _ in range(400):
        generator.shuffle(labels)
        pairs = [(one, Answer(12.0 if at < 16 else None)) for at, one in enumerate(labels)]
        skilled += _score(*pairs).has_skill

    # 20 expected at most; more than 35 has a chance of less than 1 in 1,000 at that rate.
    assert skilled <= 35


def test_a_figure_that_cannot_be_taken_meets_no_criterion() -> None:
    wanted = Criterion("ece", Comparison.AT_MOST, 1.0)

    (verdict,) = criteria.judge((wanted,), {"all": _score((NORMAL, Answer(None)))})

    assert not verdict.is_met
    assert verdict.value is None


@pytest.mark.parametrize(
    ("comparison", "met"),
    [("at-least", [False, True, True]), ("at-most", [True, True, False]),
     ("above", [False, False, True]), ("below", [True, False, False])],
)  # fmt: skip
def test_thresholds_are_in_or_out_as_the_words_say(comparison: str, met: list[bool]) -> None:
    scores = {"all": _score((EVENT, Answer(12.0)), (EVENT, Answer(None)))}
    wanted = tuple(
        Criterion("sensitivity", Comparison(comparison), threshold)
        for threshold in (math.nextafter(0.5, 1), 0.5, math.nextafter(0.5, 0))
    )

    assert [one.is_met for one in criteria.judge(wanted, scores)] == met


def test_answers_of_other_batches_are_refused() -> None:
    with pytest.raises(AnswersIncomplete):
        scoring.score({"1": EVENT}, {"2": Answer(None)})
