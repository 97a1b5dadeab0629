"""The smallest move that keeps a limit, the last safe moment, and the plant's own verdict on them."""

import hashlib
import itertools
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.twins.models.advice.conftest import AS_OF_H, SEED
from twins.models import documents, estimation
from twins.models.advice import advising, chances, schedules
from twins.models.advice.answers import Advice
from twins.models.advice.futures import OF_EACH, Futures
from twins.models.advice.questions import AdviceRequest
from twins.models.advice.schedules import Settings
from twins.models.crossing import Side
from twins.models.requests import FeedStep, RequestInvalid
from twins.plant import demo_recipe, process
from twins.plant.culture import GLUCOSE

Question = Callable[..., AdviceRequest]
ROOT = Path(__file__).parents[4]
LOW_GLUCOSE = next(
    Side(limit, "low", 11.0) for limit in demo_recipe.RECIPE_LIMITS if limit.tag == "glucose_mmol_l"
)


@pytest.fixture(scope="module")
def advice(question: Question) -> Advice:
    return advising.run(question())


def written(advice: Advice) -> bytes:
    return json.dumps(documents.of(advice), sort_keys=True).encode()


def test_a_move_brings_the_probability_below_the_target(advice: Advice) -> None:
    glucose = advice.sides[0]

    assert advice.outcome == "move"
    assert advice.futures >= 1000
    assert glucose.before.probability > 0.8
    assert glucose.after is not None
    assert glucose.after.low < glucose.after.probability <= advice.target
    assert advice.integration_error is not None
    assert advice.integration_error < estimation.TOLERANCE


def test_a_move_keeps_the_range_the_steps_and_the_delay(advice: Advice) -> None:
    assert advice.move is not None
    departures = advice.move.departures

    assert departures[0].start_h >= AS_OF_H + 2.0
    assert all(0.0 <= step.rate_l_per_h <= 0.9 for step in advice.move.feed)
    rates = [0.0, *(one.l_per_h for one in departures)]
    assert all(abs(b - a) <= 0.15 + 1e-9 for a, b in itertools.pairwise(rates))
    # Whole settings of the pump.
    assert all(one.l_per_h == pytest.approx(round(one.l_per_h, 2)) for one in departures)


def test_no_other_limit_is_endangered_by_it(advice: Advice) -> None:
    for one in advice.sides[1:]:
        assert one.after is not None
        assert one.after.probability <= max(advice.target, one.before.probability)


def test_the_last_safe_moment_is_before_the_limit_would_be_crossed(advice: Advice) -> None:
    assert advice.last_safe is not None
    safe = advice.last_safe

    assert AS_OF_H + 2.0 <= safe.at_h < AS_OF_H + 48.0
    assert safe.low_h <= safe.at_h <= safe.high_h


def _truth(feed: tuple[FeedStep, ...]) -> list[float]:
    fault = process.FAULTS["feed-pump-degraded"]
    return [
        moment.state[GLUCOSE]
        for moment in process.truth(SEED, fault, feed=feed)
        if AS_OF_H <= moment.at_h <= AS_OF_H + 48.0
    ]


def test_in_the_hidden_plant_the_limit_holds_with_the_move_and_breaks_without(
    advice: Advice,
) -> None:
    assert advice.move is not None
    before = tuple(step for step in demo_recipe.RECIPE_FEED if step.start_h < AS_OF_H)

    assert min(_truth((*before, *advice.move.feed))) >= 11.0
    assert min(_truth(demo_recipe.RECIPE_FEED)) < 11.0


@pytest.mark.requirement("A22-3")
def test_the_same_question_has_the_same_bytes_in_every_process(
    advice: Advice, question: Question, tmp_path: Path
) -> None:
    script = (
        "import hashlib, json, sys, pickle\n"
        "from twins.models import documents\n"
        "from twins.models.advice import advising\n"
        "asked = pickle.load(open(sys.argv[1], 'rb'))\n"
        "said = json.dumps(documents.of(advising.run(asked)), sort_keys=True).encode()\n"
        "print(hashlib.sha256(said).hexdigest())\n"
    )
    import pickle

    asked = tmp_path / "asked"
    asked.write_bytes(pickle.dumps(question()))

    found = subprocess.run(
        [sys.executable, "-c", script, str(asked)], cwd=ROOT, capture_output=True, check=True,
        env={"OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "7"},
    )  # fmt: skip

    assert found.stdout.decode().strip() == hashlib.sha256(written(advice)).hexdigest()
    assert advice.input_digest == documents.digest(question())


def _judged(request: AdviceRequest) -> Callable[[Settings], float]:
    many = Futures(request.forecast, estimation.assimilate(request.forecast).rows)
    schedule = schedules.of(request, start=request.delay_h)

    def probability(settings: Settings) -> float:
        future = many.under(schedule.rates(settings))
        return chances.chance(LOW_GLUCOSE, future, of_each=OF_EACH).probability

    return probability


def test_of_one_block_it_is_the_smallest_setting_of_all(question: Question) -> None:
    asked = question(block_h=48, max_step=0.6, horizon_h=24.0, as_of_h=144.0)
    probability = _judged(asked)

    found = advising.run(asked)

    assert found.move is not None
    (departure,) = found.move.departures
    settings = [setting for setting in range(48) if probability((setting,)) <= asked.target]
    assert departure.l_per_h == pytest.approx(settings[0] * 0.01)


def test_of_two_blocks_none_of_all_that_are_enough_is_much_smaller(question: Question) -> None:
    asked = question(
        block_h=12, max_step=0.6, horizon_h=24.0, as_of_h=144.0, resolution=0.05, delay_h=0
    )
    schedule, probability = schedules.of(asked, start=0), _judged(asked)

    found = advising.run(asked)

    assert found.move is not None
    steps = {one.start_h: round(one.l_per_h / 0.05) for one in found.move.departures}
    settings = tuple(steps.get(144.0 + 12.0 * block, 0) for block in range(2))
    smaller = [
        pair
        for pair in itertools.product(range(12), repeat=2)
        if schedule.size(pair) < schedule.size(settings) and probability(pair) <= asked.target
    ]
    assert smaller == []


def test_no_move_within_a_narrow_range_is_enough(question: Question) -> None:
    found = advising.run(question(high=0.4))

    assert found.outcome == "not-enough"
    assert found.last_safe is None
    assert found.move is not None
    assert max(step.rate_l_per_h for step in found.move.feed) <= 0.4
    after = found.sides[0].after
    assert after is not None
    assert found.target < after.probability <= found.sides[0].before.probability


def test_a_healthy_batch_needs_no_move(question: Question) -> None:
    found = advising.run(question(fault=None))

    assert (found.outcome, found.move, found.last_safe) == ("none-needed", None, None)
    assert found.sides[0].before.probability <= found.target
    assert found.as_is is not None


def test_the_feed_is_no_lever_on_the_temperature(question: Question) -> None:
    found = advising.run(question(tag="temperature_c", side="high"))

    assert found.outcome == "no-lever"
    assert found.reasons == ("this twin knows no effect of the feed on temperature_c",)


def test_where_the_twin_does_not_know_there_is_no_advice(question: Question) -> None:
    found = advising.run(question(as_of_h=6.0))

    assert found.outcome == "undecided"
    assert "hourly means" in found.reasons[0]


def test_where_the_limit_no_longer_applies_there_is_nothing_to_be_advised(
    question: Question,
) -> None:
    asked = question()
    limits = tuple(
        replace(one, applies_until_h=AS_OF_H) if one.tag == asked.tag else one
        for one in asked.forecast.limits
    )
    crossed = tuple(  # too low at the very end, which is all that is left to be crossed
        replace(one, value=4.0) if one.tag == asked.tag and one.at_h > AS_OF_H - 12.0 else one
        for one in asked.forecast.observations
    )

    found = advising.run(
        replace(asked, forecast=replace(asked.forecast, limits=limits, observations=crossed))
    )

    assert found.outcome == "undecided"
    assert found.reasons == (
        "the low limit of glucose_mmol_l no longer applies after 138 h: "
        "there is nothing to be advised",
    )


def test_a_recipe_whose_feed_leaves_its_own_range_gets_none(question: Question) -> None:
    found = advising.run(question(high=0.3))

    assert found.outcome == "undecided"
    assert "leaves the range" in found.reasons[0]


@pytest.mark.parametrize(
    ("name", "value"), [("target", 0.0), ("delay_h", 48), ("tag", "mass_g"), ("side", "up")]
)
def test_a_question_that_contradicts_itself_is_refused(
    question: Question, name: str, value: object
) -> None:
    with pytest.raises(RequestInvalid):
        advising.run(replace(question(), **{name: value}))
