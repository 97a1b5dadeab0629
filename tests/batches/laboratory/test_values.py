"""Values are read, rounded and combined exactly, as an independent decimal oracle does."""

import statistics
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batches.laboratory import values

_DECIMALS = st.decimals(min_value=-10_000, max_value=10_000, places=6)


@given(_DECIMALS, st.integers(0, 6), st.sampled_from(["half-up", "half-even"]))
def test_rounding_agrees_with_the_decimal_module(value: Decimal, places: int, rule: str) -> None:
    mode = ROUND_HALF_UP if rule == "half-up" else ROUND_HALF_EVEN

    rounded = values.rounded(value, decimals=places, rule=rule)

    assert rounded == value.quantize(Decimal(1).scaleb(-places), rounding=mode)
    assert -int(rounded.as_tuple().exponent) == places


@pytest.mark.parametrize(
    ("value", "up", "even"),
    [("2.345", "2.35", "2.34"), ("2.335", "2.34", "2.34"), ("-2.345", "-2.35", "-2.34")],
)
def test_halves_go_as_the_rule_says(value: str, up: str, even: str) -> None:
    assert values.rounded(Decimal(value), decimals=2, rule="half-up") == Decimal(up)
    assert values.rounded(Decimal(value), decimals=2, rule="half-even") == Decimal(even)


@given(st.lists(_DECIMALS, min_size=2, max_size=12))
def test_mean_and_variance_agree_with_the_standard_library(found: list[Decimal]) -> None:
    from fractions import Fraction

    exact = [Fraction(one) for one in found]

    assert values.mean(found) == statistics.mean(exact)
    assert values.variance(found) == statistics.variance(exact)


def test_replicates_are_reported_as_declared() -> None:
    found = [Decimal("2.50"), Decimal("2.60"), Decimal("2.61")]

    assert values.combined(found, reported_as="lowest") == Decimal("2.50")
    assert values.combined(found, reported_as="highest") == Decimal("2.61")
    assert values.rounded(
        values.combined(found, reported_as="mean"), decimals=2, rule="half-up"
    ) == Decimal("2.57")


@pytest.mark.parametrize("text", ["", "1e3", "1,5", " 1", "NaN", "1.", "+1", "1" * 16])
def test_a_text_that_is_no_plain_number_is_refused(text: str) -> None:
    with pytest.raises(values.ValueInvalid):
        values.read(text, name="mab_g_l")
