"""Read units as plants write them, and convert values between units exactly (UCUM)."""

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from enum import StrEnum
from fractions import Fraction

from batches.quantities import unit_table
from batches.quantities.unit_table import Unit
from compliance.refusals import Refused

VERSION, _BY_SPELLING = unit_table.load(unit_table.CURRENT)
UNITS = {unit.code: unit for unit in _BY_SPELLING.values()}


class UnitUnknown(Refused):
    """Nobody has approved this spelling of a unit."""

    code = "unit-unknown"
    status = 422


class UnitMismatch(Refused):
    """The value is in another unit than the one declared, or measures another thing."""

    code = "unit-mismatch"
    status = 422


class NotExact(Refused):
    """The converted value has no end as a decimal: say how it is rounded."""

    code = "not-exact"
    status = 422


class Rounding(StrEnum):
    """How a result is rounded; a specification declares it."""

    HALF_UP = "half-up"
    HALF_EVEN = "half-even"


DECIMAL_ROUNDING = {Rounding.HALF_UP: ROUND_HALF_UP, Rounding.HALF_EVEN: ROUND_HALF_EVEN}


@dataclass(frozen=True)
class Quantity:
    """A value as written, with its unit as written."""

    value: Decimal
    unit: str

    def __str__(self) -> str:
        return f"{self.value:f} {self.unit}"


@dataclass(frozen=True)
class Restated:
    """One amount both ways: as the source gave it, and in the unit that is declared."""

    given: Quantity
    declared: Quantity
    table: str

    def __str__(self) -> str:
        return f"{self.declared} (given as {self.given}; units {self.table})"


def parse(text: str) -> Unit:
    """Return the unit of a UCUM code or an approved spelling of it, or raise `UnitUnknown`."""
    unit = _BY_SPELLING.get(text)
    if unit is None:
        raise UnitUnknown(
            f"“{text[:30]}” is no approved unit or spelling of one (table {VERSION}); "
            "write the UCUM code, such as kg, mL or mmol/L"
        )
    return unit


def canonical(text: str) -> str:
    """Return the UCUM code of a unit, whatever approved spelling it is written in."""
    return parse(text).code


def is_same(one: str, other: str) -> bool:
    """Say whether two spellings mean one unit; what is in no table is compared as it is written."""
    return one == other or (
        one in _BY_SPELLING and other in _BY_SPELLING and parse(one).code == parse(other).code
    )


def demand_same(given: str, *, declared: str, what: str = "the value") -> None:
    """Pass when a value comes in its declared unit; grams for kilograms are refused."""
    if not is_same(given, declared):
        parse(given)
        raise UnitMismatch(
            f"{what} is declared in {declared} and was given in {given}; "
            f"enter it in {declared}, or have it converted and recorded both ways"
        )


def demand_convertible(one: str, *, to: str) -> None:
    """Pass when amounts in the two units can be compared, else raise `UnitMismatch` or `UnitUnknown`.

    The same spelling on both sides passes also when no table knows it.
    """
    if not is_same(one, to):
        _demand_one_kind(parse(one), parse(to))


def convert(value: Decimal, from_: str, to: str) -> Decimal:
    """Return exactly the same amount in another unit of the same kind.

    Raise `UnitUnknown`, `UnitMismatch` when they measure different things, or `NotExact` when
    the result is no finite decimal (100 s in minutes): `convert_rounded` says how to round.
    """
    source, target = parse(from_), parse(to)
    exact = _between(value, source, target)
    found = as_decimal(exact)
    if found is None:
        raise NotExact(
            f"{value:f} {source.code} has no end in {target.code}; say to how many decimals, and how"
        )
    return _with_its_zeros(found, value, source, target)


def convert_rounded(
    value: Decimal, from_: str, to: str, *, places: int, rounding: Rounding
) -> Decimal:
    """Return the amount in another unit, rounded once from the exact value as declared."""
    return rounded(_between(value, parse(from_), parse(to)), places=places, rounding=rounding)


def restate(value: Decimal, *, given: str, declared: str) -> Restated:
    """Convert on purpose, and keep both what was given and what was made of it."""
    converted = convert(value, given, declared)
    return Restated(
        Quantity(value, canonical(given)), Quantity(converted, canonical(declared)), VERSION
    )


def as_decimal(exact: Fraction) -> Decimal | None:
    """Return a fraction as the decimal it equals, or None when that has no end."""
    rest, twos, fives = exact.denominator, 0, 0
    while rest % 2 == 0:
        rest, twos = rest // 2, twos + 1
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    if rest != 1:
        return None
    places = max(twos, fives)
    whole = exact.numerator * 10**places // exact.denominator
    return _decimal(whole, places)


def rounded(exact: Fraction, *, places: int, rounding: Rounding) -> Decimal:
    """Round an exact fraction once, by whole numbers only; halves go as declared."""
    scaled = abs(exact) * 10**places
    whole, rest = divmod(scaled.numerator, scaled.denominator)
    twice = 2 * rest - scaled.denominator
    if twice > 0 or (twice == 0 and (rounding == Rounding.HALF_UP or whole % 2)):
        whole += 1
    return _decimal(-whole if exact < 0 else whole, places)


def _between(value: Decimal, source: Unit, target: Unit) -> Fraction:
    if not value.is_finite():
        raise UnitMismatch(f"{value} is no number")
    _demand_one_kind(source, target)
    return (Fraction(value) * source.factor + source.offset - target.offset) / target.factor


def _demand_one_kind(source: Unit, target: Unit) -> None:
    if source.kind != target.kind:
        raise UnitMismatch(
            f"{source.code} measures {_words(source.kind)}, {target.code} {_words(target.kind)}: "
            "one is never the other"
        )


def _with_its_zeros(found: Decimal, value: Decimal, source: Unit, target: Unit) -> Decimal:
    """Keep the digits that were read: 2500.0 g are 2.5000 kg, not 2.5 kg."""
    ratio = source.factor / target.factor
    shift = len(str(max(ratio.numerator, ratio.denominator))) - 1
    shift = shift if ratio >= 1 else -shift
    if source.offset != target.offset or ratio != Fraction(10) ** shift:
        return found
    places = -int(value.as_tuple().exponent) - shift
    if places <= -int(found.as_tuple().exponent):
        return found
    return _decimal((Fraction(found) * 10**places).numerator, places)


def _decimal(whole: int, places: int) -> Decimal:
    # From its digits: arithmetic would round to the precision of the context.
    digits = tuple(int(digit) for digit in str(abs(whole)))
    return Decimal((int(whole < 0), digits, -places))


def _words(kind: str) -> str:
    return kind.replace("-", " ")
