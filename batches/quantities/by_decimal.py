"""Evaluate the formulas in decimals; the precision is the caller's context."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

Inputs = Mapping[str, Sequence[Decimal]]
HUNDRED = Decimal(100)


def _one(inputs: Inputs, name: str) -> Decimal:
    (value,) = inputs[name]
    return value


def total(inputs: Inputs) -> Decimal:
    return sum(inputs["values"], Decimal(0))


def difference(inputs: Inputs) -> Decimal:
    return sum(inputs["out"], Decimal(0)) - sum(inputs["in"], Decimal(0))


def balance(inputs: Inputs) -> Decimal:
    return HUNDRED * sum(inputs["out"], Decimal(0)) / sum(inputs["in"], Decimal(0))


def yield_percent(inputs: Inputs) -> Decimal:
    return HUNDRED * _one(inputs, "actual") / _one(inputs, "theoretical")


def reconciliation(inputs: Inputs) -> Decimal:
    parts = ("used", "returned", "destroyed", "sampled")
    return (
        HUNDRED * sum((_one(inputs, name) for name in parts), Decimal(0)) / _one(inputs, "issued")
    )


def adjusted_charge(inputs: Inputs) -> Decimal:
    """The assay is on the dry substance: what is weighed carries its water too."""
    assay, water = _one(inputs, "assay"), _one(inputs, "water")
    return _one(inputs, "active") * HUNDRED * HUNDRED / (assay * (HUNDRED - water))


def average(inputs: Inputs) -> Decimal:
    return sum(inputs["values"], Decimal(0)) / len(inputs["values"])


def scaled(inputs: Inputs) -> Decimal:
    return _one(inputs, "quantity") * _one(inputs, "scale")
