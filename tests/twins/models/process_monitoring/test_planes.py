"""Statistics fall apart into the columns they come from, to the bit."""

import numpy as np
import pytest

from twins.models.process_monitoring import planes, summing


@pytest.fixture(scope="module")
def rows() -> np.ndarray:
    generator = np.random.default_rng(1)
    directions, _ = np.linalg.qr(generator.standard_normal((12, 3)))
    found = 3.0 * generator.standard_normal((80, 3)) @ directions.T
    found += 0.1 * generator.standard_normal(found.shape)
    return found - found.mean(axis=0)


def test_parts_of_t2_and_spe_are_the_textbook_statistics(rows: np.ndarray) -> None:
    plane = planes.principal(rows, count=3)

    t2 = summing.total(planes.t2_parts(rows, plane))
    spe = summing.total(planes.spe_parts(rows, plane))

    scores = rows @ plane.weights
    assert np.allclose(t2, (scores**2 / plane.spread).sum(axis=1), rtol=1e-10)
    assert np.allclose(spe, ((rows - scores @ plane.loadings.T) ** 2).sum(axis=1), rtol=1e-10)
    # Of the reference itself the mean of T2 is known: components times (n - 1) / n.
    assert t2.mean() == pytest.approx(3 * 79 / 80, rel=1e-10)


def test_a_column_without_any_deviation_has_no_part_in_t2(rows: np.ndarray) -> None:
    plane = planes.principal(rows, count=3)
    one = rows[:1].copy()
    one[0, 4] = 0.0

    assert planes.t2_parts(one, plane)[0, 4] == 0.0


def test_three_sources_are_three_components(rows: np.ndarray) -> None:
    assert planes.principal(rows).weights.shape == (12, 3)


def test_the_bits_of_a_row_do_not_depend_on_its_neighbours(rows: np.ndarray) -> None:
    plane = planes.principal(rows, count=3)

    together = planes.t2_parts(rows, plane), planes.spe_parts(rows, plane)

    for place in (0, 41, 79):
        assert np.array_equal(
            planes.t2_parts(rows[place : place + 1], plane)[0], together[0][place]
        )
        assert np.array_equal(
            planes.spe_parts(rows[place : place + 1], plane)[0], together[1][place]
        )


def test_sums_are_added_one_after_the_other() -> None:
    # So many that both ways of adding are taken.
    rows = np.random.default_rng(4).standard_normal((2000, 7)) * 10.0 ** np.arange(-6, 8, 2)
    weights = np.random.default_rng(5).standard_normal((7, 3))
    by_hand, sums = np.zeros((2000, 3)), np.zeros(2000)
    for place in range(7):
        by_hand = by_hand + rows[:, place, None] * weights[place]
        sums = sums + rows[:, place]

    assert np.array_equal(summing.product(rows, weights), by_hand)
    assert np.array_equal(summing.product(rows[:100], weights), by_hand[:100])
    assert np.array_equal(summing.total(rows), sums)
    assert summing.product(rows, weights[:, :0]).shape == (2000, 0)


def test_partial_least_squares_with_all_components_is_least_squares(rows: np.ndarray) -> None:
    x = rows[:, :5]
    y = x @ np.array([1.0, -2.0, 0.0, 0.5, 3.0])

    plane, slopes = planes.towards(x, y, count=5)

    assert np.allclose(planes.scores(x, plane) @ slopes, y, atol=1e-6)
    off_diagonal = np.corrcoef(planes.scores(x, plane).T) - np.eye(len(slopes))
    assert np.abs(off_diagonal).max() < 1e-6
