"""Say whether a result is out of trend: by alert limits, and by the batches before it.

The rule of the batches: at least 8 earlier batches of the product have a standing conforming
result of the test; of the newest 30 of them, one value a batch (that of the last sample), the mean
m and the standard deviation s (n - 1) are taken; a value x is out of trend when |x - m| > 3 s.
It is computed in fractions, as (x - m)² > 9 s²: no rounding decides.
"""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from batches.laboratory import values

FEWEST = 8
NEWEST = 30
TIMES = 3


def reason(
    value: Decimal, *, alert_low: Decimal | None, alert_high: Decimal | None,
    earlier: Sequence[Decimal],
) -> str:  # fmt: skip
    """Return why the value is out of trend, or an empty text."""
    found = []
    if values.is_outside(value, low=alert_low, high=alert_high):
        found.append(f"outside the alert limits {_limit(alert_low)} to {_limit(alert_high)}")
    if deviates(value, earlier):
        middle = values.rounded(values.mean(earlier), decimals=4, rule="half-even")
        found.append(
            f"more than {TIMES} standard deviations from the mean {middle} of "
            f"{len(earlier)} earlier batches"
        )
    return "; ".join(found)


def deviates(value: Decimal, earlier: Sequence[Decimal]) -> bool:
    """Apply the rule of the earlier batches; with fewer than `FEWEST` it says nothing."""
    if len(earlier) < FEWEST:
        return False
    distance = Fraction(value) - values.mean(earlier)
    return distance**2 > TIMES**2 * values.variance(earlier)


def _limit(limit: Decimal | None) -> str:
    return "none" if limit is None else f"{limit.normalize():f}"
