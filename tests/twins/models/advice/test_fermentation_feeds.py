"""The sugar of a penicillin batch is moved by as little as is enough, within its range."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.twins.models.penicillin_fed_batch import made_batch
from twins.models import crossing, documents, foretelling
from twins.models.advice import advising, chances, fermentation_feeds, schedules
from twins.models.advice.answers import Advice
from twins.models.advice.questions import AdviceRequest, MoveRange
from twins.models.declarations import Limit
from twins.models.penicillin_fed_batch import deviation_forecast, projecting, simulation
from twins.models.penicillin_fed_batch import layout as at
from twins.models.penicillin_fed_batch.asking import FermentationRequest
from twins.models.requests import RequestInvalid

LIMITS = (
    Limit("X", 15.5, None, "g/L", "CPP", 54.0, None),
    Limit("DO2", 5.0, None, "mg/L", "CPP", 0.0, None),
    Limit("T", 280.0, 300.0, "K", "CPP", 0.0, None),
)
AS_OF_H = 40.0
Question = AdviceRequest[FermentationRequest]


def question(
    *, share: float = 0.5, as_of_h: float = AS_OF_H, high: float = 200.0, tag: str = "X",
    **changed: Any,
) -> Question:  # fmt: skip
    """Return a question about biomass that will be too low; a share of the sugar flows from 36 h on."""
    asked = made_batch.asked(
        made_batch.measured(share),
        made_batch.plan(),
        as_of_h=as_of_h,
        horizon_h=18.0,
        limits=LIMITS,
    )
    room = MoveRange(0.0, high, 40.0, 1.0, 6, "a range for a test")
    return replace(AdviceRequest(asked, tag, "low", 0.1, 2, room), **changed)


@pytest.fixture(scope="module")
def advice() -> Advice:
    return advising.run(question())


def biomass(moved: Callable[[np.ndarray], None] | None = None) -> float:
    """Return the least biomass from 54 h on of the batch of whose sugar half flows."""
    inputs = made_batch.inputs(0.5)
    if moved:
        moved(inputs)
    ends = np.arange(1, len(inputs) + 1) * made_batch.SAMPLE_H
    states = simulation.simulate(simulation.inoculated(), inputs, ends_h=ends).states
    return float(projecting.VALUES["X"](states[54 * 5 : 58 * 5 + 1]).min())


def test_the_move_is_enough_in_the_futures_and_in_the_batch_itself(advice: Advice) -> None:
    assert advice.outcome == "move"
    assert advice.move is not None
    endangered, oxygen = advice.sides
    assert endangered.after is not None
    assert endangered.before.probability > 0.8
    assert endangered.after.probability <= 0.1
    assert oxygen.after is not None
    assert oxygen.after.probability <= 0.1
    assert advice.futures == 40
    move = advice.move

    def done(inputs: np.ndarray) -> None:
        for one in move.departures:
            hours = slice(round(one.start_h * 5), round(one.end_h * 5))
            inputs[hours, at.FS] += one.l_per_h

    assert biomass() < 15.5
    assert biomass(done) > 15.5


def test_the_move_keeps_its_range_its_steps_and_the_settings_of_the_pump(advice: Advice) -> None:
    assert advice.move is not None
    departures = [one.l_per_h for one in advice.move.departures]

    assert advice.move.departures[0].start_h == AS_OF_H + 2.0
    assert all(one == round(one) for one in departures)
    assert all(abs(b - a) <= 40.0 for a, b in zip([0.0, *departures], departures, strict=False))
    assert all(0.0 <= step.rate_l_per_h <= 200.0 for step in advice.move.feed)


def test_as_is_it_says_the_probability_that_the_forecast_says(advice: Advice) -> None:
    forecast = foretelling.run(deviation_forecast, question().forecast)
    said = {(one.tag, one.side): one.probability for one in forecast.limits}

    for side in advice.sides:
        assert side.before.probability == said[side.tag, side.side]
        assert side.before.low <= side.before.probability <= side.before.high


def test_a_smaller_move_is_not_enough(advice: Advice) -> None:
    asked = question()
    assert advice.move is not None
    strongest = schedules.of(asked, start=2)
    settings = tuple(round(one.l_per_h) for one in advice.move.departures)
    less = tuple(int(0.8 * one) for one in settings)

    begun = fermentation_feeds.begin(asked.forecast)

    assert not isinstance(begun, tuple)
    future = begun.ensemble.under(strongest.rates(less))
    found = chances.chance(crossing.sides(LIMITS)[0], future, of_each=1)
    assert found.probability > 0.1


def test_it_may_wait_until_a_moment_and_no_longer(advice: Advice) -> None:
    assert advice.last_safe is not None
    assert AS_OF_H + 2.0 <= advice.last_safe.at_h < 54.0
    assert advice.last_safe.low_h <= advice.last_safe.at_h <= advice.last_safe.high_h


@pytest.mark.requirement("A22-1")
def test_the_same_question_has_the_same_bytes(advice: Advice) -> None:
    again = advising.run(question())

    assert json.dumps(documents.of(again)) == json.dumps(documents.of(advice))


def test_without_room_it_is_not_enough_and_the_nearest_is_told() -> None:
    found = advising.run(question(high=55.0))

    assert found.outcome == "not-enough"
    assert found.move is not None
    assert all(step.rate_l_per_h <= 55.0 for step in found.move.feed)
    assert found.sides[0].after is not None
    assert found.sides[0].after.probability > 0.1


def test_of_a_batch_by_the_recipe_none_is_needed() -> None:
    assert advising.run(question(share=1.0)).outcome == "none-needed"


def test_what_loops_hold_the_sugar_does_not_move() -> None:
    assert advising.run(question(tag="T")).outcome == "no-lever"


@pytest.mark.parametrize(
    ("changed", "said"), [({"as_of_h": 11.0}, "12 h"), ({"high": 20.0}, "range")]
)
def test_what_cannot_be_judged_is_undecided(changed: dict[str, Any], said: str) -> None:
    found = advising.run(question(**changed))

    assert found.outcome == "undecided"
    assert said in found.reasons[0]


def test_a_question_that_contradicts_itself_is_refused() -> None:
    for wrong in (question(tag="P"), question(delay_h=18), question(target=0.0)):
        with pytest.raises(RequestInvalid):
            advising.run(wrong)
