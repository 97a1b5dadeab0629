"""Evaluate the formulas a second time, in exact fractions and written another way round.

Nothing here is shared with `by_decimal`: an error in one of them shows as a disagreement.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import reduce
from operator import add

Inputs = Mapping[str, Sequence[Fraction]]


def total(inputs: Inputs) -> Fraction:
    return reduce(add, inputs["values"])


def difference(inputs: Inputs) -> Fraction:
    left = Fraction(0)
    for went_in in inputs["in"]:
        left -= went_in
    for came_out in inputs["out"]:
        left += came_out
    return left


def balance(inputs: Inputs) -> Fraction:
    went_in = reduce(add, inputs["in"])
    return reduce(add, [each / went_in for each in inputs["out"]]) * 100


def yield_percent(inputs: Inputs) -> Fraction:
    return inputs["actual"][0] / (inputs["theoretical"][0] / 100)


def reconciliation(inputs: Inputs) -> Fraction:
    issued = inputs["issued"][0]
    open_amount = issued
    for name in ("destroyed", "returned", "sampled", "used"):
        open_amount -= inputs[name][0]
    return 100 - open_amount / issued * 100


def adjusted_charge(inputs: Inputs) -> Fraction:
    dry = 1 - inputs["water"][0] / 100
    pure = inputs["assay"][0] / 100
    return inputs["active"][0] / dry / pure


def average(inputs: Inputs) -> Fraction:
    """The mean as the point from which all distances add up to nothing."""
    values = inputs["values"]
    start = values[0]
    return start + reduce(add, [each - start for each in values]) / len(values)


def scaled(inputs: Inputs) -> Fraction:
    return inputs["scale"][0] * inputs["quantity"][0]
