"""The compiled balances are those of the equations, member by member, whoever is beside."""

import numpy as np
import pytest

from twins.models import integrate
from twins.models.cho_fed_batch import equations, kernel, members
from twins.models.cho_fed_batch.equations import Coefficients, Feed
from twins.models.integrate import Solution
from twins.plant import demo_recipe

FloatArray = integrate.FloatArray


def ensemble(count: int) -> tuple[FloatArray, Coefficients, Feed]:
    dice = np.random.default_rng(5)
    start = np.array([[value] for value in demo_recipe.RECIPE_INITIAL.values()])
    states = start * dice.uniform(0.5, 8.0, (start.shape[0], count))
    uncertain = members.NOMINAL + members.PRIOR_SD * dice.standard_normal((7, count))
    rows = np.concatenate([states, uncertain])
    return states, members.coefficients(rows), Feed(dice.uniform(0.0, 1.0, count), 600.0, 60.0)


def advanced(states: FloatArray, coefficients: Coefficients, feed: Feed) -> Solution:
    return kernel.advance(integrate.begin(states), coefficients, feed, duration_h=1.0, steps=3)


@pytest.mark.parametrize("count", [1, 31, 32, 33, 100])
def test_the_kernel_integrates_the_equations(count: int) -> None:
    states, coefficients, feed = ensemble(count)

    found = advanced(states, coefficients, feed)

    reference = integrate.advance(
        integrate.begin(states), equations.derivative(coefficients, feed), duration_h=1.0, steps=3
    )
    for ours, theirs in ((found.fine, reference.fine), (found.coarse, reference.coarse)):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)


def test_a_member_has_the_same_bits_alone_and_among_others() -> None:
    states, coefficients, feed = ensemble(70)
    together = advanced(states, coefficients, feed)

    for member in (0, 31, 32, 69):
        one = slice(member, member + 1)
        alone = advanced(
            states[:, one],
            Coefficients(
                *(
                    getattr(coefficients, name)[one]
                    for name in ("mu_max", "k_d", "m_glc", "y_lac_glc", "q_mab")
                )
            ),
            Feed(feed.rate_l_per_h[one], 600.0, 60.0),
        )
        assert alone.fine.tobytes() == together.fine[:, one].tobytes()
        assert alone.coarse.tobytes() == together.coarse[:, one].tobytes()


def test_what_is_no_number_stays_with_its_member() -> None:
    states, coefficients, feed = ensemble(4)
    states[2, 1] = np.nan

    found = advanced(states, coefficients, feed)

    assert np.isnan(found.fine[2, 1])
    assert np.isfinite(found.fine[:, [0, 2, 3]]).all()
