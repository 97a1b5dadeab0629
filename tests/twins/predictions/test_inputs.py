"""A twin is asked with what was visible at a moment, and nothing else."""

from datetime import timedelta

import pytest

from batches.execution.models import Batch
from batches.laboratory import results
from tests import factories
from tests.twins.predictions.conftest import LATER, Culture, moment, said
from twins.models.requests import Observation
from twins.plant.messages import LaboratoryResult, Reading
from twins.predictions import cultures, inputs


def visible(as_of_h: float) -> set[Observation]:
    """Return what the plant had said by then, as a twin sees it."""
    found = set()
    for one in said(300, ""):
        if isinstance(one, Reading) and one.at_h <= as_of_h:
            found.add(Observation(one.tag, one.at_h, one.value, one.at_h))
        if isinstance(one, LaboratoryResult) and one.reported_h <= as_of_h:
            found.add(Observation(one.tag, one.sampled_h, float(one.value), one.reported_h))
    return found


@pytest.mark.parametrize("as_of_h", [6.0, 15.75, 16.0, 24.0])
def test_nothing_is_asked_that_was_read_or_reported_later(culture: Culture, as_of_h: float) -> None:
    batch = culture(until_h=30.0)

    request = cultures.assemble(batch, as_of=moment(as_of_h), horizon_h=48, seed=5)

    assert request.as_of_h == as_of_h
    assert set(request.observations) == visible(as_of_h)
    assert len(request.observations) == len(visible(as_of_h))


def test_what_arrives_later_changes_nothing_that_was_asked_before(culture: Culture) -> None:
    known = cultures.assemble(culture(until_h=18.0), as_of=moment(18.0), horizon_h=48, seed=5)

    later = cultures.assemble(culture(until_h=30.0), as_of=moment(18.0), horizon_h=48, seed=5)

    assert later == known


def test_a_corrected_result_counts_from_when_the_correction_was_reported(
    culture: Culture,
) -> None:
    batch = culture(until_h=20.0)
    sample = batch.samples.get(number="S001")
    results.report(
        sample,
        tag="lab_glucose_mmol_l",
        value_text="30.7",
        unit="mmol/L",
        reported_at=moment(19.0),
        message_id="correction",
        actor=factories.device(),
        at=LATER,
        version=2,
        reason="dilution was not counted",
    )

    def seen(as_of_h: float) -> list[float]:
        request = cultures.assemble(batch, as_of=moment(as_of_h), horizon_h=48, seed=5)
        return [
            one.value
            for one in request.observations
            if (one.tag, one.at_h) == ("lab_glucose_mmol_l", 12.0)
        ]

    first = float(sample.results.get(tag="lab_glucose_mmol_l", version=1).value)
    assert first != 30.7
    assert seen(18.0) == [first]
    assert seen(19.0) == [30.7]


def test_all_predictions_of_a_batch_draw_the_same_numbers(started: Batch) -> None:
    other = Batch(number=f"{started.number}-2")

    assert inputs.seed_of(started) == inputs.seed_of(Batch(number=started.number))
    assert inputs.seed_of(started) != inputs.seed_of(other)


def test_a_batch_without_twin_or_start_is_not_predicted(started: Batch) -> None:
    without = factories.running_batch()
    issued = factories.batch(started.recipe)

    for batch, as_of in (
        (without, moment(6.0)),
        (issued, moment(6.0)),
        (started, moment(0.0) - timedelta(seconds=1)),
    ):
        with pytest.raises(inputs.BatchNotPredictable):
            cultures.assemble(batch, as_of=as_of, horizon_h=48, seed=5)
