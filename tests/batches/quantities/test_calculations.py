"""Calculations are done twice; an oracle of the tests, written apart, agrees with both."""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal, localcontext

import pytest

from batches.quantities import calculations, limits
from batches.quantities.calculations import (
    FORMULAS,
    Disagreement,
    FormulaUnknown,
    InputsInvalid,
    NotComputable,
)
from batches.quantities.limits import Limits, Range, Standing
from batches.quantities.units import Quantity, Rounding, UnitMismatch

Given = dict[str, list[Decimal]]


def _scaled(values: Sequence[Decimal]) -> list[int]:
    """Whole numbers of 1e-12: the oracle knows integers only."""
    return [int(value.scaleb(12)) for value in values]


def _quotient(above: int, below: int, places: int, rounding: Rounding) -> Decimal:
    """Divide whole numbers on paper: one digit more than is kept, then what is left."""
    sign = -1 if (above < 0) != (below < 0) else 1
    above, below = abs(above), abs(below)
    whole, left = divmod(above * 10**places, below)
    if left * 2 > below or (left * 2 == below and (rounding == "half-up" or whole % 2 == 1)):
        whole += 1
    with localcontext() as context:
        context.prec = 200
        return Decimal(sign * whole).scaleb(-places)


Whole = Callable[[dict[str, list[int]]], int]


def _ratio(above: Whole, below: Whole) -> Callable[..., Decimal]:
    def oracle(given: Given, places: int, rounding: Rounding) -> Decimal:
        whole = {name: _scaled(values) for name, values in given.items()}
        return _quotient(above(whole), below(whole), places, rounding)

    return oracle


ONE = 10**12
ORACLES: dict[str, Callable[..., Decimal]] = {
    "sum": _ratio(lambda g: sum(g["values"]), lambda g: ONE),
    "mass-balance": _ratio(lambda g: sum(g["out"]) - sum(g["in"]), lambda g: ONE),
    "mass-balance-percent": _ratio(lambda g: 100 * sum(g["out"]), lambda g: sum(g["in"])),
    "yield-percent": _ratio(lambda g: 100 * g["actual"][0], lambda g: g["theoretical"][0]),
    "reconciliation-percent": _ratio(
        lambda g: 100 * (g["used"][0] + g["returned"][0] + g["destroyed"][0] + g["sampled"][0]),
        lambda g: g["issued"][0],
    ),
    "potency-adjusted-charge": _ratio(
        lambda g: g["active"][0] * 10_000 * ONE,
        lambda g: g["assay"][0] * (100 * ONE - g["water"][0]),
    ),
    "average": _ratio(lambda g: sum(g["values"]), lambda g: len(g["values"]) * ONE),
    "scaled-quantity": _ratio(lambda g: g["quantity"][0] * g["scale"][0], lambda g: ONE * ONE),
}


def _draw(chance: random.Random, kind: str) -> Quantity:
    places = chance.choice([0, 0, 1, 2, 3, 6])
    most = {"percent": 99, "factor": 20}.get(kind, 10 ** chance.randint(1, 9))
    value = Decimal(chance.randint(1, most * 10**places)).scaleb(-places)
    return Quantity(value, {"percent": "%", "factor": "1"}.get(kind, "kg"))


@pytest.mark.requirement("211-68b", "211-101/103/110/111")
def test_ten_thousand_random_calculations_agree_with_an_independent_oracle() -> None:
    chance = random.Random(211)
    names = sorted(FORMULAS)
    disagreements = []
    for number in range(10_000):
        formula = FORMULAS[names[number % len(names)]]
        inputs = {
            name.rstrip("*"): [
                _draw(chance, kind)
                for _ in range(chance.randint(1, 8) if name.endswith("*") else 1)
            ]
            for name, kind in formula.takes.items()
        }
        places, rounding = chance.randint(0, 6), chance.choice(list(Rounding))

        found = calculations.compute(formula.id, inputs=inputs, places=places, rounding=rounding)

        values = {name: [one.value for one in given] for name, given in inputs.items()}
        expected = ORACLES[formula.id](values, places, rounding)
        if str(found.value) != str(expected) or found.recomputed != found.value:
            disagreements.append((formula.id, values, found.value, expected))
    assert set(ORACLES) == set(FORMULAS)
    assert disagreements == []


def _kg(*values: str) -> list[Quantity]:
    return [Quantity(Decimal(value), "kg") for value in values]


def test_a_yield_is_in_percent_and_rounded_as_declared() -> None:
    inputs = {"actual": _kg("9.125"), "theoretical": _kg("10")}

    up = calculations.compute("yield-percent", inputs=inputs, places=1, rounding=Rounding.HALF_UP)
    even = calculations.compute(
        "yield-percent", inputs=inputs, places=1, rounding=Rounding.HALF_EVEN
    )

    assert (str(up.value), up.unit, up.version) == ("91.3", "%", 1)
    assert str(even.value) == "91.2"


def test_what_is_weighed_makes_up_for_assay_and_water() -> None:
    found = calculations.compute(
        "potency-adjusted-charge",
        inputs={
            "active": _kg("10"),
            "assay": [Quantity(Decimal("98.5"), "%")],
            "water": [Quantity(Decimal("2.0"), "percent")],
        },
        places=3,
        rounding=Rounding.HALF_UP,
    )

    assert (str(found.value), found.unit) == ("10.359", "kg")  # 10 / 0.985 / 0.98


@pytest.mark.requirement("211-68b")
@pytest.mark.parametrize("formula", sorted(FORMULAS))
def test_an_amount_in_another_unit_is_refused_by_every_formula(formula: str) -> None:
    takes = FORMULAS[formula].takes
    units = {"percent": "%", "factor": "1", "amount": "kg"}
    good = {
        name.rstrip("*"): [Quantity(Decimal(1), units[kind])] * (2 if name.endswith("*") else 1)
        for name, kind in takes.items()
    }
    calculations.compute(formula, inputs=good, places=2, rounding=Rounding.HALF_UP)
    for name, given in good.items():
        mixed = {**good, name: [*given[:-1], replace(given[-1], unit="g")]}
        if takes.get(name) == "amount" and list(takes.values()).count("amount") == 1:
            continue  # the only amount: nothing to disagree with
        with pytest.raises(UnitMismatch):
            calculations.compute(formula, inputs=mixed, places=2, rounding=Rounding.HALF_UP)


def test_nothing_is_divided_by_zero() -> None:
    with pytest.raises(NotComputable):
        calculations.compute(
            "yield-percent",
            inputs={"actual": _kg("1"), "theoretical": _kg("0")},
            places=2,
            rounding=Rounding.HALF_UP,
        )


@pytest.mark.parametrize(
    "inputs",
    [
        {},
        {"actual": _kg("1")},
        {"actual": _kg("1"), "theoretical": _kg("1"), "other": _kg("1")},
        {"actual": _kg("1", "2"), "theoretical": _kg("1")},
        {"actual": [], "theoretical": _kg("1")},
        {"actual": _kg("NaN"), "theoretical": _kg("1")},
        {"actual": _kg("1" * 41), "theoretical": _kg("1")},
        {"actual": _kg("1E-41"), "theoretical": _kg("1")},
    ],
)
def test_inputs_that_the_formula_does_not_take_are_refused(
    inputs: dict[str, list[Quantity]],
) -> None:
    with pytest.raises(InputsInvalid):
        calculations.compute("yield-percent", inputs=inputs, places=2, rounding=Rounding.HALF_UP)


def test_an_unknown_formula_is_refused() -> None:
    with pytest.raises(FormulaUnknown):
        calculations.compute("guess", inputs={}, places=2, rounding=Rounding.HALF_UP)


@pytest.mark.requirement("211-68b")
def test_two_evaluations_that_differ_give_no_result(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = replace(FORMULAS["average"], decimal=lambda inputs: max(inputs["values"]))
    monkeypatch.setitem(FORMULAS, "average", wrong)

    with pytest.raises(Disagreement):
        calculations.compute(
            "average", inputs={"values": _kg("1", "2")}, places=2, rounding=Rounding.HALF_UP
        )


def test_the_smallest_difference_from_a_half_decides() -> None:
    """A quotient a hair below or above a half is rounded from its exact value."""
    half = "0.5" + "0" * 30
    above, below = half[:-1] + "1", "0.4" + "9" * 31

    for value, expected in ((above, "1"), (below, "0")):
        found = calculations.compute(
            "sum", inputs={"values": _kg(value)}, places=0, rounding=Rounding.HALF_EVEN
        )
        assert str(found.value) == expected
    assert Decimal(half).quantize(Decimal(1), ROUND_HALF_EVEN) == 0
    assert Decimal(half).quantize(Decimal(1), ROUND_HALF_UP) == 1


@pytest.mark.parametrize(
    ("value", "standing"),
    [
        ("36.5", Standing.WITHIN),
        ("37.5", Standing.WITHIN),
        ("36.4", Standing.OUTSIDE_NORMAL),
        ("36.0", Standing.OUTSIDE_NORMAL),
        ("35.9", Standing.OUTSIDE_PROVEN),
        ("35.0", Standing.OUTSIDE_PROVEN),
        ("34.999999", Standing.BEYOND_ACTION),
        ("39.1", Standing.BEYOND_ACTION),
    ],
)
def test_a_value_has_the_worst_standing_that_applies(value: str, standing: Standing) -> None:
    ranges = Limits(
        Range(Decimal("36.5"), Decimal("37.5")),
        Range(Decimal("36.0"), Decimal("38.0")),
        Range(Decimal("35.0"), Decimal("39.0")),
    )

    assert limits.judge(Decimal(value), ranges) == standing


def test_open_ranges_hold_everything() -> None:
    assert limits.judge(Decimal("-1E+30"), Limits()) == Standing.WITHIN
    assert str(Range()) == "no limits"
    assert str(Range(Decimal("1.50"))) == "at least 1.5"
    assert str(Range(None, Decimal(2))) == "at most 2"
    assert str(Range(Decimal(1), Decimal(2))) == "1 to 2"
