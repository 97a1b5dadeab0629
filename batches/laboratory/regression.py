"""Fit a straight line to a stability series and say how long it stays within a limit (ICH Q1E).

One batch, one attribute, ordinary least squares, one-sided 95 % confidence limit of the mean line,
as Q1E 2.4 describes. Sums are exact fractions; the quantile of Student's t comes from its closed
form for whole degrees of freedom. It supports a shelf life, it does not propose one.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

FEWEST = 3
CONFIDENCE = 0.95
MOST_MONTHS = 120


@dataclass(frozen=True)
class Line:
    """A fitted line: value = intercept + slope x month."""

    count: int
    intercept: Fraction
    slope: Fraction
    mean_month: Fraction
    spread: Fraction  # sum of squares of the months about their mean
    residual_variance: Fraction

    def at(self, month: int) -> Fraction:
        return self.intercept + self.slope * month

    def half_width(self, month: int) -> float:
        """Return how far the confidence limit of the mean is from the line at a month."""
        factor = Fraction(1, self.count) + (month - self.mean_month) ** 2 / self.spread
        return t_quantile(self.count - 2) * math.sqrt(self.residual_variance * factor)


def fit(points: Sequence[tuple[int, Decimal]]) -> Line | None:
    """Return the line through (month, value) points; None for fewer than 3, or only one month."""
    if len(points) < FEWEST or len({month for month, _ in points}) < 2:
        return None
    count = len(points)
    pairs = [(Fraction(month), Fraction(value)) for month, value in points]
    mean_month = _sum(month for month, _ in pairs) / count
    mean_value = _sum(value for _, value in pairs) / count
    spread = _sum((month - mean_month) ** 2 for month, _ in pairs)
    slope = _sum((month - mean_month) * (value - mean_value) for month, value in pairs) / spread
    intercept = mean_value - slope * mean_month
    squares = _sum((value - intercept - slope * month) ** 2 for month, value in pairs)
    return Line(count, intercept, slope, mean_month, spread, squares / (count - 2))


def _sum(terms: Iterable[Fraction]) -> Fraction:
    return sum(terms, Fraction())


def months_within(line: Line, *, low: Decimal | None, high: Decimal | None, last: int) -> int:
    """Return for how many whole months the confidence limits stay within the limits.

    Q1E 2.4.1.2: not beyond twice the last month with data, nor more than 12 months after it.
    """
    most = min(2 * last, last + 12, MOST_MONTHS)
    for month in range(most + 1):
        half, middle = line.half_width(month), float(line.at(month))
        if low is not None and middle - half < float(low):
            return max(month - 1, 0)
        if high is not None and middle + half > float(high):
            return max(month - 1, 0)
    return most


def t_probability(t: float, freedom: int) -> float:
    """Return P(T <= t) of Student's t for whole degrees of freedom (Abramowitz, Stegun 26.7.3-4)."""
    angle = math.atan(t / math.sqrt(freedom))
    sine, cosine = math.sin(angle), math.cos(angle)
    if freedom % 2:
        term, total = cosine, 0.0
        for k in range(1, (freedom - 1) // 2 + 1):
            total += term
            term *= cosine * cosine * 2 * k / (2 * k + 1)
        return 0.5 + (angle + sine * total) / math.pi
    term, total = 1.0, 0.0
    for k in range(1, freedom // 2 + 1):
        total += term
        term *= cosine * cosine * (2 * k - 1) / (2 * k)
    return 0.5 + sine * total / 2


def t_quantile(freedom: int, probability: float = CONFIDENCE) -> float:
    """Return the t below which this share of the distribution is."""
    low, high = 0.0, 1000.0
    for _ in range(200):
        middle = (low + high) / 2
        if t_probability(middle, freedom) < probability:
            low = middle
        else:
            high = middle
    return high
