"""Read what a recipe allows advice to propose: the registered range of the feed, steps, target."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from batches.recipes.models import MasterRecipe, Parameter
from compliance.refusals import Refused
from twins.models.advice.questions import MoveRange
from twins.models.cho_fed_batch.declared import FEED_RATE_TAG
from twins.models.penicillin_fed_batch import planning
from twins.predictions import fermentations
from twins.predictions.twin_settings import TwinSettingsInvalid

_NEEDED = {"max_step_l_per_h", "resolution_l_per_h", "block_h", "target", "delay_h"}


class AdviceNotOffered(Refused):
    """The recipe asks for no advice, or registers no range in which the feed may be moved."""

    code = "advice-not-offered"


@dataclass(frozen=True)
class Terms:
    """Within which range and steps a move is looked for, and when it is enough."""

    range: MoveRange
    target: float
    delay_h: int


def of(recipe: MasterRecipe) -> Terms:
    """Return the terms of a recipe; raise `AdviceNotOffered` or `TwinSettingsInvalid`.

    The range is the proven acceptable one of the parameter of the feed (ICH Q8(R2): moving within
    it is no change), else its normal operating range. Steps and target are `advice` of the
    settings for the twin.
    """
    if not is_asked_for(recipe):
        raise AdviceNotOffered(f"{recipe} asks for no advice, or its twin gives none")
    said = recipe.twin_settings["advice"]
    tag = lever(recipe)
    parameter = recipe.parameters.filter(tag=tag).first()
    if parameter is None or (found := _registered(parameter)) is None:
        raise AdviceNotOffered(f"{recipe} registers no range of {tag}, low and high")
    low, high, source = found
    try:
        if set(said) != _NEEDED:
            raise ValueError(f"advice is told {', '.join(sorted(_NEEDED))}, and nothing else")
        return Terms(
            range=MoveRange(
                low=low,
                high=high,
                max_step=_number(said["max_step_l_per_h"]),
                resolution=_number(said["resolution_l_per_h"]),
                block_h=int(said["block_h"]),
                source=source,
            ),
            target=_number(said["target"]),
            delay_h=int(said["delay_h"]),
        )
    except (TypeError, ValueError) as error:
        raise TwinSettingsInvalid(f"{recipe}: settings of advice: {error}") from error


def is_asked_for(recipe: MasterRecipe) -> bool:
    """Say whether a recipe asks for advice, and its twin gives it."""
    return recipe.twin_settings.get("advice") is not None and recipe.twin in _LEVERS


def lever(recipe: MasterRecipe) -> str:
    """Return the tag of the feed that advice moves; raise `TwinSettingsInvalid`."""
    return _LEVERS[recipe.twin](recipe)


def _sugar(recipe: MasterRecipe) -> str:
    return fermentations.settings(recipe).tags.online[planning.SUGAR]


_LEVERS: Mapping[str, Callable[[MasterRecipe], str]] = {
    "cho-fed-batch": lambda _: FEED_RATE_TAG,
    "penicillin-fed-batch": _sugar,
}


def _registered(parameter: Parameter) -> tuple[float, float, str] | None:
    for low, high, name in (
        (parameter.proven_low, parameter.proven_high, "proven acceptable range"),
        (parameter.low, parameter.high, "normal operating range"),
    ):
        if low is not None and high is not None:
            return (
                float(low),
                float(high),
                f"{name} of {parameter.tag} in recipe {parameter.recipe}",
            )
    return None


def _number(text: Any) -> float:
    if not isinstance(text, str):
        raise TypeError(f"{text!r} is not a decimal in quotes")
    return float(text)
