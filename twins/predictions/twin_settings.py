"""Read what a master recipe tells its twin: start, feed, limits to foretell, how often to run."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from batches.recipes.models import MasterRecipe, Parameter
from compliance.refusals import Refused
from twins.models.declarations import Limit
from twins.models.requests import FeedStep

EVERY_H, HORIZON_H, ALERT_THRESHOLD = 6, 48, "0.8"
_KNOWN = {
    "initial", "feed", "feed_glucose_mmol_l", "feed_glutamine_mmol_l", "limit_windows",
    "every_h", "horizon_h", "alert_threshold", "advice",
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

    `limit_windows` names the parameters whose limits are foretold, each with the hours of the batch
    in which its limits hold: `{"lab_mab_g_l": ["284.0", "288.0"]}`, null for without end. Bounds,
    unit and criticality are the parameter's own.
    """
    said = recipe.twin_settings
    if unknown := sorted(set(said) - _KNOWN):
        raise TwinSettingsInvalid(f"{recipe}: a twin is told nothing named {', '.join(unknown)}")
    try:
        found = TwinSettings(
            initial={name: number(value) for name, value in said["initial"].items()},
            feed=tuple(FeedStep(number(start), number(rate)) for start, rate in said["feed"]),
            feed_glucose_mmol_l=number(said["feed_glucose_mmol_l"]),
            feed_glutamine_mmol_l=number(said["feed_glutamine_mmol_l"]),
            limits=_limits(recipe, said["limit_windows"]),
            every_h=int(said.get("every_h", EVERY_H)),
            horizon_h=int(said.get("horizon_h", HORIZON_H)),
            alert_threshold=number(said.get("alert_threshold", ALERT_THRESHOLD)),
        )
    except KeyError as error:
        raise TwinSettingsInvalid(f"{recipe}: the twin is not told {error.args[0]}") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise TwinSettingsInvalid(f"{recipe}: settings of the twin: {error}") from error
    if found.every_h < 1 or found.horizon_h < 1 or not 0.0 < found.alert_threshold <= 1.0:
        raise TwinSettingsInvalid(
            f"{recipe}: every_h, horizon_h or alert_threshold is out of range"
        )
    return found


def process_tag(tag: str) -> str:
    """Return the process value that a laboratory's test measures, by the prefix of its tag."""
    return tag.removeprefix("lab_")


def _limits(recipe: MasterRecipe, windows: Mapping[str, Sequence[Any]]) -> tuple[Limit, ...]:
    parameters = {parameter.tag: parameter for parameter in recipe.parameters.order_by("tag")}
    if unknown := sorted(set(windows) - set(parameters)):
        raise TwinSettingsInvalid(f"{recipe} has no parameter {', '.join(unknown)}")
    return tuple(_limit(parameters[tag], *windows[tag]) for tag in sorted(windows))


def _limit(parameter: Parameter, from_h: object, until_h: object) -> Limit:
    return Limit(
        tag=process_tag(parameter.tag),
        low=None if parameter.low is None else float(parameter.low),
        high=None if parameter.high is None else float(parameter.high),
        unit=parameter.unit,
        criticality=parameter.criticality.upper(),
        applies_from_h=number(from_h),
        applies_until_h=None if until_h is None else number(until_h),
    )


def number(text: object) -> float:
    """Return a decimal of the settings; raise `TypeError` or `ValueError` for anything else."""
    if not isinstance(text, str):
        raise TypeError(f"{text!r} is not a decimal in quotes")
    found = float(text)
    if not math.isfinite(found):
        raise ValueError(f"{text} is not a number")
    return found
