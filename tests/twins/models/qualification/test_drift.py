"""A shift is noticed, and no shift gives no more false alarms than stated."""

import numpy as np
import pytest

from twins.models.qualification import drift
from twins.models.qualification.drift import TooFewBatches

ALPHA = 0.05


def _values(generator: np.random.Generator, of: int, shift: float = 0.0) -> list[float]:
    return [float(one) for one in generator.normal(shift, 1.0, of)]


@pytest.mark.requirement("A22-10")
def test_an_input_that_shifts_by_two_standard_deviations_is_noticed_within_a_window() -> None:
    generator = np.random.default_rng(3)
    reference = {"ph": _values(generator, 40), "temperature_c": _values(generator, 40)}
    window = {"ph": _values(generator, 20, 2.0), "temperature_c": _values(generator, 20)}

    found = drift.of_inputs(reference, window, alpha=ALPHA)

    assert [(one.name, one.is_drift) for one in found] == [("ph", True), ("temperature_c", False)]
    assert found[0].psi > found[1].psi
    assert found[0].ks > 0.5


@pytest.mark.requirement("A22-10")
def test_without_a_shift_false_alarms_are_no_more_than_stated() -> None:
    generator = np.random.default_rng(5)
    alarms = 0
    for _ in range(60):
        reference = {"ph": _values(generator, 20)}
        alarms += drift.of_inputs(reference, {"ph": _values(generator, 10)}, alpha=ALPHA)[
            0
        ].is_drift

    # 3 expected at most; more than 9 has a chance of less than 1 in 1,000 at that rate.
    assert alarms <= 9


def test_the_same_data_give_the_same_answer() -> None:
    generator = np.random.default_rng(7)
    reference, window = {"ph": _values(generator, 20)}, {"ph": _values(generator, 10)}

    first = drift.of_inputs(reference, window, alpha=ALPHA)

    assert drift.of_inputs(reference, window, alpha=ALPHA) == first


def test_a_constant_input_does_not_drift() -> None:
    (found,) = drift.of_inputs({"ph": [7.0] * 20}, {"ph": [7.0] * 10}, alpha=ALPHA)

    assert (found.psi, found.ks, found.chance_ks, found.is_drift) == (0.0, 0.0, 1.0, False)


@pytest.mark.requirement("A22-10")
@pytest.mark.parametrize(("count", "is_drift"), [(0, False), (3, False), (4, True), (20, True)])
def test_outcomes_are_held_to_the_contract(count: int, is_drift: bool) -> None:
    found = drift.of_outcome("false alarms", count=count, of=20, contract=0.05, alpha=0.025)

    assert found.is_drift is is_drift


def test_too_few_batches_are_not_compared() -> None:
    with pytest.raises(TooFewBatches):
        drift.of_inputs({"ph": [7.0] * 20}, {"ph": [7.0] * 4}, alpha=ALPHA)


def test_no_batch_at_all_is_no_drift_of_outcomes() -> None:
    assert not drift.of_outcome("misses", count=0, of=0, contract=0.35, alpha=0.05).is_drift
