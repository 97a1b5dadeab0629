"""Read, round and combine measured values, exactly and as declared (211.194(a)(5), USP 7.20)."""

import re
from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from fractions import Fraction

from compliance.refusals import Refused

_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,9})?")
_MODES = {"half-up": ROUND_HALF_UP, "half-even": ROUND_HALF_EVEN}


class ValueInvalid(Refused):
    """The text is no number that could be stored as it was written."""

    code = "result-invalid"
    status = 422


def read(text: str, *, name: str) -> Decimal:
    """Return the number that a text writes, or raise `ValueInvalid`."""
    if not _NUMBER.fullmatch(text):
        raise ValueInvalid(
            f"{name}: “{text}” is no decimal number of at most 15 digits before and 9 after "
            "the point"
        )
    return Decimal(text)


def rounded(value: Decimal | Fraction, *, decimals: int, rule: str) -> Decimal:
    """Return the value with so many decimals; halves go as the rule says."""
    exact = Fraction(value)
    scaled = exact * 10**decimals
    floor = scaled.numerator // scaled.denominator
    rest = scaled - floor
    up = rest > Fraction(1, 2)
    if rest == Fraction(1, 2):
        # half up means away from zero, as ROUND_HALF_UP does; half to even takes the even one
        up = floor % 2 == 1 if _MODES[rule] == ROUND_HALF_EVEN else scaled > 0
    return Decimal(floor + up).scaleb(-decimals)


def mean(values: Sequence[Decimal]) -> Fraction:
    return sum(map(Fraction, values), Fraction()) / len(values)


def combined(values: Sequence[Decimal], *, reported_as: str) -> Fraction:
    """Return what is reported of replicates: their mean, the lowest or the highest."""
    match reported_as:
        case "lowest":
            return Fraction(min(values))
        case "highest":
            return Fraction(max(values))
    return mean(values)


def variance(values: Sequence[Decimal]) -> Fraction:
    """Return the variance of a sample (n - 1)."""
    middle = mean(values)
    return sum(((Fraction(one) - middle) ** 2 for one in values), Fraction()) / (len(values) - 1)


def is_outside(value: Decimal, *, low: Decimal | None, high: Decimal | None) -> bool:
    return (low is not None and value < low) or (high is not None and value > high)
