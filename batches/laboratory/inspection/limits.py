"""Hold results against what judges them: their specification, or the limits of their batch's recipe."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from batches.laboratory.models import Judgement, Result
from batches.recipes.models import Criticality, Parameter, ParameterKind


@dataclass(frozen=True)
class Limit:
    """What one result is judged by."""

    tag: str
    name: str
    text: str
    is_last_counting: bool  # of a quality attribute the last sample is the product
    low: Decimal | None = None
    high: Decimal | None = None


def of_results(results: Iterable[Result]) -> dict[int, Limit]:
    """Return the limit of each result that has one, by the result's key."""
    results = list(results)
    recipes = {one.sample.batch.recipe_id for one in results if one.test is None}
    parameters = {
        (one.recipe_id, one.tag): one
        for one in Parameter.objects.filter(recipe__in=recipes, kind=ParameterKind.RESULT)
        if one.low is not None or one.high is not None
    }
    found = {}
    for one in results:
        if one.test is not None:
            # An OOS stands whatever a later sample says: each result of a specification counts.
            found[one.pk] = Limit(one.tag, one.test.name, one.test.limits_text, False)
        elif parameter := parameters.get((one.sample.batch.recipe_id, one.tag)):
            found[one.pk] = _of_recipe(parameter)
    return found


def is_outside(result: Result, limit: Limit) -> bool:
    if result.judgement != Judgement.NONE:
        return result.judgement == Judgement.OOS
    return (limit.low is not None and result.value < limit.low) or (
        limit.high is not None and result.value > limit.high
    )


def _of_recipe(parameter: Parameter) -> Limit:
    return Limit(
        parameter.tag, parameter.name, parameter.limits_text,
        parameter.criticality == Criticality.CQA, parameter.low, parameter.high,
    )  # fmt: skip
