"""The integration is of fourth order, knows its error and refuses to be wrong."""

import math

import numpy as np
import pytest

from twins.models import integrate
from twins.models.integrate import FloatArray

ONE = np.array([[1.0]])


def decay(state: FloatArray) -> FloatArray:
    return -state


def stiff(state: FloatArray) -> FloatArray:
    return -20.0 * state


def test_halving_the_step_divides_the_error_by_sixteen() -> None:
    exact = math.exp(-2.0)

    errors = [
        abs(float(integrate.rk4(decay, ONE, duration_h=2.0, steps=steps)[0, 0]) - exact)
        for steps in (32, 64, 128)
    ]

    assert errors[0] / errors[1] == pytest.approx(16.0, rel=0.1)
    assert errors[1] / errors[2] == pytest.approx(16.0, rel=0.1)


def test_the_reported_error_is_the_true_one_within_a_tenth() -> None:
    solution = integrate.advance(integrate.begin(ONE), decay, duration_h=2.0, steps=32)

    true = abs(float(solution.fine[0, 0]) - math.exp(-2.0))

    reported = integrate.error(solution, scale=np.array([[1.0 - float(solution.fine[0, 0])]]))
    assert reported == pytest.approx(true, rel=0.1)


def test_a_run_with_too_few_steps_is_a_failed_run() -> None:
    solution = integrate.advance(integrate.begin(ONE), stiff, duration_h=1.0, steps=4)
    found = integrate.error(solution, scale=ONE)

    with pytest.raises(integrate.IntegrationInaccurate):
        integrate.require(found, tolerance=1e-4)


def test_a_run_that_ends_in_no_number_is_a_failed_run() -> None:
    nowhere = integrate.Solution(fine=np.array([[np.nan]]), coarse=ONE)

    found = integrate.error(nowhere, scale=ONE)

    with pytest.raises(integrate.IntegrationInaccurate):
        integrate.require(found, tolerance=1e-4)
    with pytest.raises(integrate.IntegrationInaccurate):
        integrate.require(float("nan"), tolerance=1e-4)


def test_a_member_does_not_depend_on_its_neighbours() -> None:
    many = np.array([[1.0, 2.0, 3.0]])

    together = integrate.rk4(decay, many, duration_h=1.0, steps=4)
    alone = integrate.rk4(decay, many[:, 1:2], duration_h=1.0, steps=4)

    assert together[0, 1] == alone[0, 0]
