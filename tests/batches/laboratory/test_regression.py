"""The line through a stability series, and how long it stays within limits: known answers."""

from decimal import Decimal
from fractions import Fraction

import pytest

from batches.laboratory import regression

# One-sided 95 % quantiles as every published table has them.
T_95 = {1: 6.314, 2: 2.920, 3: 2.353, 4: 2.132, 5: 2.015, 6: 1.943, 10: 1.812, 30: 1.697, 60: 1.671}


@pytest.mark.parametrize(("freedom", "quantile"), T_95.items())
def test_quantiles_agree_with_the_published_table(freedom: int, quantile: float) -> None:
    assert regression.t_quantile(freedom) == pytest.approx(quantile, abs=0.0005)


def test_a_perfect_line_is_found_exactly() -> None:
    points = [(month, Decimal(100) - Decimal("0.25") * month) for month in (0, 3, 6, 9, 12)]

    line = regression.fit(points)

    assert line is not None
    assert line.slope == Fraction(-1, 4)
    assert line.intercept == 100
    assert line.residual_variance == 0


def test_a_line_agrees_with_one_worked_by_hand() -> None:
    # Months 0, 6, 12 with 100, 98, 99: slope -1/12, intercept 99.5, residual sum of squares 1.5.
    line = regression.fit([(0, Decimal(100)), (6, Decimal(98)), (12, Decimal(99))])

    assert line is not None
    assert line.slope == Fraction(-1, 12)
    assert line.intercept == Fraction(199, 2)
    assert line.residual_variance == Fraction(3, 2)
    # at the mean month the half width is t(1) x sqrt(1.5 / 3)
    assert line.half_width(6) == pytest.approx(6.3138 * 0.5**0.5, abs=0.001)


@pytest.mark.parametrize("points", [[], [(0, Decimal(1)), (3, Decimal(1))], [(3, Decimal(1))] * 4])
def test_too_few_points_make_no_line(points: list[tuple[int, Decimal]]) -> None:
    assert regression.fit(points) is None


def test_the_limit_is_met_where_the_confidence_limit_crosses_it() -> None:
    points = [(month, Decimal(100) - Decimal("0.5") * month) for month in (0, 3, 6, 9, 12)]
    line = regression.fit(points)
    assert line is not None

    # 100 - 0.5 m reaches 90 at month 20 exactly; the perfect line has no width.
    assert regression.months_within(line, low=Decimal(90), high=None, last=12) == 20


def test_an_estimate_goes_no_further_than_q1e_allows() -> None:
    points = [(month, Decimal(100)) for month in (0, 3, 6, 9, 12, 18, 24)]
    line = regression.fit(points)
    assert line is not None

    assert regression.months_within(line, low=Decimal(90), high=None, last=24) == 36
    assert regression.months_within(line, low=Decimal(90), high=None, last=6) == 12
