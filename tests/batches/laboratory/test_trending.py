"""A result is out of trend by alert limits and by the batches before it; answers are known."""

from decimal import Decimal

import pytest

from batches.laboratory import trending

# Mean 3.00 and standard deviation (n - 1) exactly 0.20: half of them 0.1871 either way would not
# be exact, so 2.8 and 3.2 four times each, and one 3.0: the sum of squares is 8 x 0.04 = 0.32, /8.
EIGHT_AND_ONE = [Decimal(one) for one in ["2.8", "3.2"] * 4 + ["3.0"]]


@pytest.mark.requirement("CH5/6")
@pytest.mark.parametrize(
    ("value", "is_out"), [("3.60", False), ("3.61", True), ("2.40", False), ("2.39", True)]
)
def test_three_standard_deviations_decide_exactly(value: str, is_out: bool) -> None:
    assert trending.deviates(Decimal(value), EIGHT_AND_ONE) is is_out


def test_with_fewer_than_eight_batches_the_rule_says_nothing() -> None:
    assert not trending.deviates(Decimal("99"), EIGHT_AND_ONE[:7])


def test_batches_that_are_all_alike_make_any_other_value_out_of_trend() -> None:
    same = [Decimal("3.0")] * 8

    assert trending.deviates(Decimal("3.1"), same)
    assert not trending.deviates(Decimal("3.0"), same)


def test_the_reason_names_alert_limits_and_batches() -> None:
    why = trending.reason(
        Decimal("3.70"), alert_low=None, alert_high=Decimal("3.40"), earlier=EIGHT_AND_ONE
    )

    assert "outside the alert limits none to 3.4" in why
    assert "more than 3 standard deviations from the mean 3.0000 of 9 earlier batches" in why
