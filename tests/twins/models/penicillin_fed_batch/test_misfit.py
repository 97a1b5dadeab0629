"""Innovations that stay on one side widen a forecast, and silence it when no normal batch shows that."""

from dataclasses import replace

import numpy as np
import pytest

from tests.twins.models.penicillin_fed_batch import made_batch
from tests.twins.models.penicillin_fed_batch.test_deviation_forecast import TWIN, asked
from twins.models.penicillin_fed_batch import deviation_forecast, measuring, misfit

PH = measuring.TAGS.index("pH")
SAMPLES = 300


def innovations(column: np.ndarray) -> np.ndarray:
    """Return innovations of pH, each expected to be 1 wide, and of nothing else."""
    found = np.full((SAMPLES, len(measuring.TAGS), 2), np.nan)
    found[:, PH, 0], found[:, PH, 1] = column, 1.0
    return found


def test_what_stays_on_one_side_counts_and_what_changes_sides_does_not() -> None:
    back_h, usual = misfit.USUAL["pH"]
    one_sided = np.full(SAMPLES, 0.5)
    alternating = np.where(np.arange(SAMPLES) % 2, 5.0, -5.0)

    assert misfit.of(innovations(one_sided)) == pytest.approx(0.5 * np.sqrt(back_h * 5) / usual)
    assert misfit.of(innovations(alternating)) == 0.0


def test_what_was_long_ago_counts_no_more() -> None:
    column = np.zeros(SAMPLES)
    column[: SAMPLES - misfit.USUAL["pH"][0] * 5] = 9.0

    assert misfit.of(innovations(column)) == 0.0


def test_what_was_not_measured_does_not_count() -> None:
    assert misfit.of(innovations(np.full(SAMPLES, np.nan))) == 0.0


def test_a_usual_misfit_widens_nothing_and_a_larger_one_in_proportion() -> None:
    assert misfit.widening(0.9 * misfit.USUAL_MISFIT) == 1.0
    assert misfit.widening(1.4 * misfit.USUAL_MISFIT) == pytest.approx(1.4)


def test_a_batch_that_the_equations_do_not_describe_is_undecided() -> None:
    """Off-gas and results are those of another culture from a day before on."""
    right = asked(as_of_h=44.0)
    column = list(right.online["CO2outgas"])
    column[-120:] = [None if one is None else one * 1.5 for one in column[-120:]]
    wrong = replace(
        right,
        online={**right.online, "CO2outgas": tuple(column)},
        laboratory=tuple(
            replace(one, value=one.value * (1.5 if one.tag == "lab_P" else 0.6))
            for one in right.laboratory
        ),
    )

    found = TWIN.run(wrong)

    assert TWIN.run(right).status == "forecast"
    assert (found.status, found.trajectories) == ("undecided", ())
    assert "the equations do not describe this batch" in found.reasons[-1]


def test_a_forecast_is_as_much_wider_as_the_misfit_asks() -> None:
    request = made_batch.asked(
        made_batch.measured(), made_batch.plan(), as_of_h=44.0, horizon_h=6.0
    )
    found = deviation_forecast.estimate(request)
    strange = replace(found, innovations=found.innovations.copy())
    strange.innovations[:, PH, 0] = strange.innovations[:, PH, 1]

    usual, wider = (
        deviation_forecast.foretell(request, one, ()).paths["P"][:, -1] for one in (found, strange)
    )

    expected = misfit.widening(misfit.of(strange.innovations))
    assert expected > 1.2
    assert misfit.widening(misfit.of(found.innovations)) == 1.0
    assert np.ptp(wider) == pytest.approx(expected * np.ptp(usual), rel=1e-6)
