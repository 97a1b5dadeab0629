"""The watch gives no more false alarms than it states, and notices what it is there to notice."""

import pytest

from tests.bench import drift as rates
from twins.hub import drift_watch
from twins.models.qualification import proportions

WINDOWS = 120


def test_what_is_simulated_is_the_window_of_the_watch() -> None:
    assert rates.WINDOW == drift_watch.WINDOW


@pytest.mark.requirement("A22-10")
def test_false_alarms_of_the_watch_are_no_more_than_stated() -> None:
    found = rates.simulate(WINDOWS, rates.Drift(), seed=11)

    alarmed = sum(inputs or outcome for inputs, outcome in found)

    # So many or more would have a chance of less than 1 in 1,000 at the stated rate.
    assert proportions.at_least(alarmed, WINDOWS, rates.ALPHA) > 0.001


@pytest.mark.requirement("A22-10")
@pytest.mark.parametrize(
    ("changed", "least"),
    [
        (rates.Drift(shift_sd=1.5, inputs=1), 0.9),
        (rates.Drift(false_alarms=0.5), 0.8),
    ],
)
def test_the_watch_notices_a_drift_in_nearly_every_window(
    changed: rates.Drift, least: float
) -> None:
    found = rates.simulate(40, changed, seed=12)

    assert sum(inputs or outcome for inputs, outcome in found) >= least * 40
