"""Hold results against the limits of their batch's recipe."""

from batches.laboratory.models import Result
from batches.recipes.models import Parameter, ParameterKind


def of_batches(results: list[Result]) -> dict[tuple[int, str], Parameter]:
    """Return the parameter with limits for each (recipe, tag) that the results need."""
    recipes = {one.sample.batch.recipe_id for one in results}
    found = Parameter.objects.filter(recipe__in=recipes, kind=ParameterKind.RESULT)
    return {
        (one.recipe_id, one.tag): one
        for one in found
        if one.low is not None or one.high is not None
    }


def is_outside(result: Result, parameter: Parameter) -> bool:
    return (parameter.low is not None and result.value < parameter.low) or (
        parameter.high is not None and result.value > parameter.high
    )
