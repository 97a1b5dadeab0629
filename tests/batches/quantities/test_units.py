"""Units are read as plants write them and converted exactly, or refused."""

import random
from decimal import Decimal
from fractions import Fraction

import pytest

from batches.quantities import units
from batches.quantities.units import (
    NotExact,
    Quantity,
    Rounding,
    UnitMismatch,
    UnitUnknown,
)

# Known answers, written by hand.
KNOWN = [
    ("2500.0", "g", "kg", "2.5000"),
    ("2.5", "kg", "g", "2500"),
    ("1", "kg", "mg", "1000000"),
    ("0.001", "mg", "ng", "1000"),
    ("1", "[lb_av]", "g", "453.59237"),
    ("16", "oz", "lb", "1"),
    ("37", "Cel", "K", "310.15"),
    ("37", "°C", "°F", "98.6"),
    ("98.6", "degF", "degC", "37"),
    ("-40", "Cel", "[degF]", "-40"),
    ("90", "min", "h", "1.5"),
    ("1", "wk", "h", "168"),
    ("3.1", "g/L", "mg/mL", "3.1"),
    ("750", "mL", "L", "0.750"),
    ("1", "bar", "kPa", "100"),
    ("60", "mL/min", "L/h", "3.6"),
    ("5.0", "mmol/L", "mol/L", "0.0050"),
    ("12", "10^6 cells/mL", "cells/mL", "12000000"),
    ("1234567890123456789012345678901.1", "g", "kg", "1234567890123456789012345678.9011"),
]


@pytest.mark.parametrize(("value", "from_", "to", "expected"), KNOWN)
def test_known_conversions_are_exact_to_the_last_digit(
    value: str, from_: str, to: str, expected: str
) -> None:
    found = units.convert(Decimal(value), from_, to)

    assert found == Decimal(expected)


def test_digits_that_were_read_are_kept() -> None:
    assert str(units.convert(Decimal("2500.0"), "g", "kg")) == "2.5000"
    assert str(units.convert(Decimal("5.00"), "kg", "kg")) == "5.00"
    assert str(units.convert(Decimal("0.0"), "g", "kg")) == "0.0000"


@pytest.mark.requirement("211-68b", "A11D-10")
def test_grams_are_never_taken_for_kilograms() -> None:
    with pytest.raises(UnitMismatch, match="declared in kg and was given in g"):
        units.demand_same("g", declared="kg")
    units.demand_same("KG", declared="kg")


def test_a_conversion_on_purpose_is_kept_both_ways() -> None:
    restated = units.restate(Decimal("2500"), given="grams", declared="kg")

    assert restated.given == Quantity(Decimal("2500"), "g")
    assert restated.declared == Quantity(Decimal("2.500"), "kg")
    assert restated.table == "2026.1"


@pytest.mark.parametrize("code", sorted(units.UNITS))
def test_every_unit_is_converted_within_its_kind_only(code: str) -> None:
    mine = units.UNITS[code]
    for other in units.UNITS.values():
        if other.kind == mine.kind:
            units.convert_rounded(
                Decimal("1.5"), code, other.code, places=30, rounding=Rounding.HALF_EVEN
            )
        else:
            with pytest.raises(UnitMismatch):
                units.convert(Decimal("1.5"), code, other.code)


@pytest.mark.parametrize("text", ["", "Kgs", "KILO", "M", "mg ", "mg/l ", "\N{KELVIN SIGN}", "gr"])
def test_a_spelling_that_nobody_approved_is_refused(text: str) -> None:
    with pytest.raises(UnitUnknown):
        units.parse(text)


@pytest.mark.parametrize("value", ["NaN", "sNaN", "Infinity", "-Infinity"])
def test_what_is_no_number_is_not_converted(value: str) -> None:
    with pytest.raises(UnitMismatch):
        units.convert(Decimal(value), "g", "kg")


def test_a_result_without_end_is_refused_unless_its_rounding_is_declared() -> None:
    with pytest.raises(NotExact):
        units.convert(Decimal(100), "s", "min")

    rounded = units.convert_rounded(Decimal(100), "s", "min", places=2, rounding=Rounding.HALF_UP)
    assert str(rounded) == "1.67"


@pytest.mark.parametrize(
    ("value", "places", "up", "even"),
    [
        ("2.5", 0, "3", "2"),
        ("3.5", 0, "4", "4"),
        ("-2.5", 0, "-3", "-2"),
        ("0.125", 2, "0.13", "0.12"),
        ("-0.001", 2, "0.00", "0.00"),
        ("9.995", 2, "10.00", "10.00"),
    ],
)
def test_halves_are_rounded_as_declared(value: str, places: int, up: str, even: str) -> None:
    exact = Fraction(Decimal(value))

    assert str(units.rounded(exact, places=places, rounding=Rounding.HALF_UP)).lstrip("-") == (
        up.lstrip("-")
    )
    assert units.rounded(exact, places=places, rounding=Rounding.HALF_UP) == Decimal(up)
    assert units.rounded(exact, places=places, rounding=Rounding.HALF_EVEN) == Decimal(even)


@pytest.mark.requirement("211-68b")
def test_ten_thousand_conversions_go_there_and_back_without_loss() -> None:
    chance = random.Random(20260302)
    kinds: dict[str, list[str]] = {}
    for unit in units.UNITS.values():
        kinds.setdefault(unit.kind, []).append(unit.code)
    several = [codes for codes in kinds.values() if len(codes) > 1]
    disagreements = exact = 0
    for _ in range(10_000):
        source, target = chance.choices(chance.choice(several), k=2)
        value = Decimal(chance.randint(-(10**12), 10**12)).scaleb(-chance.randint(0, 9))
        try:
            there = units.convert(value, source, target)
        except NotExact:
            continue
        exact += 1
        disagreements += units.convert(there, target, source) != value
    assert disagreements == 0
    assert exact > 5_000
