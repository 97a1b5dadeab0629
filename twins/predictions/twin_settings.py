"""Read what a master recipe tells its twin: start, feed, which parameters are foretold, how often."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from batches.recipes.models import MasterRecipe, Parameter
from compliance.refusals import Refused
from twins.models.declarations import Limit
from twins.models.requests import FeedStep

EVERY_H, HORIZON_H, ALERT_THRESHOLD = 6, 48, "0.8"
_KNOWN = {
    "initial", "feed", "feed_glucose_mmol_l", "feed_glutamine_mmol_l", "limits",
    "every_h", "horizon_h", "alert_threshold",
}  # fmt: skip


class TwinSettingsInvalid(Refused):
    """The recipe's settings for its twin cannot be read."""

    code = "twin-settings-invalid"
    status = 422


@dataclass(frozen=True)
class TwinSettings:
    """What one recipe tells its twin. Numbers are decimals in the recipe, floats here."""

    initial: Mapping[str, float]
    feed: tuple[FeedStep, ...]
    feed_glucose_mmol_l: float
    feed_glutamine_mmol_l: float
    limits: tuple[Limit, ...]
    every_h: int
    horizon_h: int
    alert_threshold: float


def of(recipe: MasterRecipe) -> TwinSettings:
    """Return the settings of a recipe; raise `TwinSettingsInvalid` naming what is wrong.

    `limits` maps the tag of a parameter to what the twin calls it, with the hours of the batch in
    which the limit holds: `{"lab_mab_g_l": {"tag": "mab_g_l", "applies_from_h": "284"}}`. Bounds,
    unit and criticality are the parameter's own.
    """
    said = recipe.twin_settings
    if unknown := sorted(set(said) - _KNOWN):
        raise TwinSettingsInvalid(f"{recipe}: a twin is told nothing named {', '.join(unknown)}")
    try:
        found = TwinSettings(
            initial={name: _number(value) for name, value in said["initial"].items()},
            feed=tuple(FeedStep(_number(start), _number(rate)) for start, rate in said["feed"]),
            feed_glucose_mmol_l=_number(said["feed_glucose_mmol_l"]),
            feed_glutamine_mmol_l=_number(said["feed_glutamine_mmol_l"]),
            limits=_limits(recipe, said["limits"]),
            every_h=int(said.get("every_h", EVERY_H)),
            horizon_h=int(said.get("horizon_h", HORIZON_H)),
            alert_threshold=_number(said.get("alert_threshold", ALERT_THRESHOLD)),
        )
    except KeyError as error:
        raise TwinSettingsInvalid(f"{recipe}: the twin is not told {error.args[0]}") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise TwinSettingsInvalid(f"{recipe}: settings of the twin: {error}") from error
    if found.every_h < 1 or found.horizon_h < 1 or not 0.0 < found.alert_threshold <= 1.0:
        raise TwinSettingsInvalid(f"{recipe}: every_h, horizon_h or alert_threshold is out of range")
    return found


def _limits(recipe: MasterRecipe, mapped: Mapping[str, Mapping[str, Any]]) -> tuple[Limit, ...]:
    parameters = {parameter.tag: parameter for parameter in recipe.parameters.order_by("tag")}
    if unknown := sorted(set(mapped) - set(parameters)):
        raise TwinSettingsInvalid(f"{recipe} has no parameter {', '.join(unknown)}")
    return tuple(_limit(parameters[tag], mapped[tag]) for tag in sorted(mapped))


def _limit(parameter: Parameter, mapping: Mapping[str, Any]) -> Limit:
    until = mapping.get("applies_until_h")
    return Limit(
        tag=str(mapping["tag"]),
        low=None if parameter.low is None else float(parameter.low),
        high=None if parameter.high is None else float(parameter.high),
        unit=parameter.unit,
        criticality=parameter.criticality.upper(),
        applies_from_h=_number(mapping.get("applies_from_h", "0")),
        applies_until_h=None if until is None else _number(until),
    )


def _number(text: object) -> float:
    if not isinstance(text, str):
        raise TypeError(f"{text!r} is not a decimal in quotes")
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is not a number")
    return number
