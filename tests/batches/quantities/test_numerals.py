"""Only what a source wrote as a number is one."""

from decimal import Decimal

import pytest

from batches.quantities import numerals


@pytest.mark.parametrize("text", ["0", "-0.50", "+7", "12.50", ".5", "5.", "1e3", "1.20E-05"])
def test_a_number_is_read_with_its_digits(text: str) -> None:
    assert str(numerals.decimal(text)) == str(Decimal(text))


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "NaN", "nan", "sNaN", "inf", "-Infinity", "1e400", "1e-400", "1e9999", "1" * 61),
        *("1_000", "1,000", "1 000", "1'000", "12,5", "1.2.3", "--1", "1e", "0x10", "１２", "١٢"),
        *("12\0", "12\u200b", "\ufeff12", "12 mg", "12%", "\u221212", "1/2"),
    ],
)
def test_what_can_only_be_read_as_a_number_is_none(text: str) -> None:
    assert numerals.decimal(text) is None
