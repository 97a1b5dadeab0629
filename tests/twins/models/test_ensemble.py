"""Reductions over members have one order, and draws have one name."""

import math

import numpy as np
import pytest

from twins.models import ensemble


@pytest.mark.parametrize("members", range(1, 70))
def test_the_sum_holds_every_member_once(members: int) -> None:
    values = np.array([[float(2**k) for k in range(min(members, 50))]])

    summed = float(ensemble.total(values)[0])

    assert summed == 2.0 ** min(members, 50) - 1.0


def test_the_sum_does_not_depend_on_the_layout_of_the_memory() -> None:
    drawn = np.random.Generator(np.random.PCG64(1)).standard_normal((7, 64))

    assert ensemble.total(drawn).tobytes() == ensemble.total(np.asfortranarray(drawn)).tobytes()


def test_spread_is_the_sample_standard_deviation() -> None:
    drawn = np.random.Generator(np.random.PCG64(2)).standard_normal((3, 33))

    np.testing.assert_allclose(ensemble.spread(drawn), np.std(drawn, axis=-1, ddof=1), rtol=1e-13)


@pytest.mark.parametrize("share", [0.0, 0.05, 0.1, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("members", [1, 2, 3, 64])
def test_quantiles_are_linear_between_order_statistics(share: float, members: int) -> None:
    drawn = np.random.Generator(np.random.PCG64(members)).standard_normal((2, members))

    found = ensemble.quantile(drawn, share)

    np.testing.assert_allclose(found, np.quantile(drawn, share, axis=-1), atol=1e-14)


def test_a_stream_gives_the_same_draws_whenever_it_is_asked() -> None:
    first = ensemble.standard_normals(seed=3, stream=(2, 40), shape=(4, 64))
    other = ensemble.standard_normals(seed=3, stream=(2, 41), shape=(4, 64))
    again = ensemble.standard_normals(seed=3, stream=(2, 40), shape=(4, 64))

    assert first.tobytes() == again.tobytes()
    assert first.tobytes() != other.tobytes()


def test_draws_are_centred_so_that_noise_moves_no_mean() -> None:
    drawn = ensemble.standard_normals(seed=3, stream=(1, 0), shape=(5, 64))

    assert all(math.isclose(float(one), 0.0, abs_tol=1e-15) for one in ensemble.mean(drawn))
    np.testing.assert_allclose(ensemble.spread(drawn), 1.0, atol=0.3)


def test_even_normals_are_the_same_in_every_row_in_the_order_of_their_stream() -> None:
    shape = (3, 40)
    drawn = ensemble.standard_normals(seed=5, stream=(1, 2), shape=shape)

    even = ensemble.even_normals(seed=5, stream=(1, 2), shape=shape)

    assert np.array_equal(np.argsort(even, axis=1), np.argsort(drawn, axis=1))
    assert np.array_equal(np.sort(even, axis=1), np.broadcast_to(np.sort(even[0]), shape))
    assert even[0].mean() == pytest.approx(0.0, abs=1e-12)
    assert float(ensemble.quantile(even[0], 0.95)) == pytest.approx(1.645, abs=0.1)
    assert not np.array_equal(even[0], even[1])
