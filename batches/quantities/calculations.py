"""Compute what a batch record computes, twice and in two ways; a disagreement is no result."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal, localcontext
from fractions import Fraction

from batches.quantities import by_decimal, by_fraction, units
from batches.quantities.units import Quantity, Rounding
from compliance.refusals import Refused

MOST_DIGITS = 40  # of one input; more is no measurement
MOST_INPUTS = 1000
MOST_PLACES = 12


class FormulaUnknown(Refused):
    code = "formula-unknown"
    status = 422


class InputsInvalid(Refused):
    """The inputs are not what the formula takes."""

    code = "calculation-inputs"
    status = 422


class NotComputable(Refused):
    """These inputs have no result: a division by nothing."""

    code = "not-computable"
    status = 422


class Disagreement(Exception):
    """The two evaluations differ: one of the programs is wrong, and neither value is used."""


Inputs = Mapping[str, Sequence[Quantity]]
Decimals = Mapping[str, Sequence[Decimal]]


@dataclass(frozen=True)
class Formula:
    """One formula: what it takes, in which unit its result is, and its two evaluations.

    `takes` maps the name of an input to how its unit is bound: "amount" inputs share one unit,
    "percent" ones are in %, "factor" ones are plain numbers. Names ending in "*" take several.
    """

    id: str
    version: int
    title: str
    takes: Mapping[str, str]
    gives: str  # "amount", or the code of a unit
    decimal: Callable[[Decimals], Decimal]
    fraction: Callable[[Mapping[str, Sequence[Fraction]]], Fraction]


@dataclass(frozen=True)
class Computed:
    """A result with the second evaluation's, which is the same, and what both came from."""

    formula: str
    version: int
    value: Decimal
    recomputed: Decimal
    unit: str
    places: int
    rounding: Rounding


FORMULAS: dict[str, Formula] = {
    formula.id: formula
    for formula in (
        Formula(
            "mass-balance", 1, "What came out, less what went in",
            {"in*": "amount", "out*": "amount"}, "amount",
            by_decimal.difference, by_fraction.difference,
        ),
        Formula(
            "mass-balance-percent", 1, "What came out, in percent of what went in",
            {"in*": "amount", "out*": "amount"}, "%",
            by_decimal.balance, by_fraction.balance,
        ),
        Formula(
            "yield-percent", 1, "Actual yield in percent of the theoretical (21 CFR 211.103)",
            {"actual": "amount", "theoretical": "amount"}, "%",
            by_decimal.yield_percent, by_fraction.yield_percent,
        ),
        Formula(
            "reconciliation-percent", 1,
            "Used, returned, destroyed and sampled, in percent of issued (21 CFR 211.125, 211.184)",
            {"issued": "amount", "used": "amount", "returned": "amount", "destroyed": "amount",
             "sampled": "amount"}, "%",
            by_decimal.reconciliation, by_fraction.reconciliation,
        ),
        Formula(
            "potency-adjusted-charge", 1,
            "What is weighed so that the active amount is as planned (21 CFR 211.101(a))",
            {"active": "amount", "assay": "percent", "water": "percent"}, "amount",
            by_decimal.adjusted_charge, by_fraction.adjusted_charge,
        ),
        Formula(
            "average", 1, "Arithmetic mean", {"values*": "amount"}, "amount",
            by_decimal.average, by_fraction.average,
        ),
        Formula(
            "scaled-quantity", 1, "A quantity of the recipe times the batch's scale",
            {"quantity": "amount", "scale": "factor"}, "amount",
            by_decimal.scaled, by_fraction.scaled,
        ),
        Formula(
            "sum", 1, "Sum", {"values*": "amount"}, "amount", by_decimal.total, by_fraction.total,
        ),
    )
}  # fmt: skip


def compute(formula: str, *, inputs: Inputs, places: int, rounding: Rounding) -> Computed:
    """Evaluate a formula twice and return the result that both agree on.

    Raise `FormulaUnknown`, `InputsInvalid`, `UnitUnknown`, `UnitMismatch`, `NotComputable`; or
    `Disagreement`, which is an error and no answer.
    """
    known = FORMULAS.get(formula)
    if known is None:
        raise FormulaUnknown(f"there is no formula “{formula}”; known: {', '.join(FORMULAS)}")
    if not 0 <= places <= MOST_PLACES:
        raise InputsInvalid(f"a result has 0 to {MOST_PLACES} decimals, not {places}")
    unit = _demand_inputs(known, inputs)
    decimals = {name: [one.value for one in given] for name, given in inputs.items()}
    fractions = {name: [Fraction(one) for one in given] for name, given in decimals.items()}
    try:
        second = units.rounded(known.fraction(fractions), places=places, rounding=rounding)
    except ZeroDivisionError as error:
        raise NotComputable(f"{known.title}: it would be divided by zero") from error
    first = _by_decimal(known, decimals, places, rounding)
    if first != second or first.as_tuple().exponent != second.as_tuple().exponent:
        raise Disagreement(f"{formula} v{known.version}: {first} and {second} of {decimals}")
    gives = unit if known.gives == "amount" else known.gives
    return Computed(formula, known.version, first, second, gives, places, rounding)


def _by_decimal(formula: Formula, decimals: Decimals, places: int, rounding: Rounding) -> Decimal:
    # Digits enough that a quotient near a half is told from the half itself before it is rounded.
    digits = sum(len(one.as_tuple().digits) for given in decimals.values() for one in given)
    spread = sum(abs(int(one.as_tuple().exponent)) for given in decimals.values() for one in given)
    with localcontext(Context(prec=digits + spread + places + 30)):
        found = formula.decimal(decimals).quantize(
            Decimal(1).scaleb(-places), rounding=units.DECIMAL_ROUNDING[rounding]
        )
    return found if found else abs(found)  # no negative zero


def _demand_inputs(formula: Formula, inputs: Inputs) -> str:
    """Refuse what the formula does not take; return the unit that all amounts share."""
    plain = {name.rstrip("*"): kind for name, kind in formula.takes.items()}
    several = {name.rstrip("*") for name in formula.takes if name.endswith("*")}
    if set(inputs) != set(plain):
        raise InputsInvalid(f"{formula.id} takes {', '.join(plain)}; got {', '.join(inputs)}")
    unit = ""
    for name, given in inputs.items():
        if not 1 <= len(given) <= (MOST_INPUTS if name in several else 1):
            raise InputsInvalid(f"{formula.id}: {name} has {len(given)} values")
        for one in given:
            _demand_number(formula, name, one)
            match plain[name]:
                case "percent":
                    units.demand_same(one.unit, declared="%", what=name)
                case "factor":
                    units.demand_same(one.unit, declared="1", what=name)
                case _:
                    unit = unit or units.canonical(one.unit)
                    units.demand_same(one.unit, declared=unit, what=name)
    return unit


def _demand_number(formula: Formula, name: str, one: Quantity) -> None:
    if not one.value.is_finite():
        raise InputsInvalid(f"{formula.id}: {name} is {one.value}, no number")
    _, digits, exponent = one.value.as_tuple()
    if len(digits) > MOST_DIGITS or abs(int(exponent)) > MOST_DIGITS:
        raise InputsInvalid(f"{formula.id}: {name} has more than {MOST_DIGITS} digits")
