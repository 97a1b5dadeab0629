"""Read what every master recipe tells a forecasting twin: limits to foretell, how often, how far."""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from batches.recipes.models import MasterRecipe, Parameter
from compliance.refusals import Refused
from twins.models.declarations import Limit

EVERY_H, HORIZON_H, ALERT_THRESHOLD = 6, 48, "0.8"
_OF_ALL = {"limit_windows", "every_h", "horizon_h", "alert_threshold"}


class TwinSettingsInvalid(Refused):
    """The recipe's settings for its twin cannot be read."""

    code = "twin-settings-invalid"
    status = 422


@dataclass(frozen=True)
class Pace:
    """How often a twin runs, how far it looks, and from which probability on it warns."""

    every_h: int
    horizon_h: int
    alert_threshold: float


@contextmanager
def read_strictly(recipe: MasterRecipe, *, known: Collection[str]) -> Iterator[None]:
    """Refuse what the block cannot read, and settings that are not known, as `TwinSettingsInvalid`."""
    if unknown := sorted(set(recipe.twin_settings) - {*_OF_ALL, *known}):
        raise TwinSettingsInvalid(f"{recipe}: a twin is told nothing named {', '.join(unknown)}")
    try:
        yield
    except KeyError as error:
        raise TwinSettingsInvalid(f"{recipe}: the twin is not told {error.args[0]}") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise TwinSettingsInvalid(f"{recipe}: settings of the twin: {error}") from error


def pace(recipe: MasterRecipe) -> Pace:
    """Return how often and how far; raise what `read_strictly` refuses, or `TwinSettingsInvalid`."""
    said = recipe.twin_settings
    found = Pace(
        every_h=int(said.get("every_h", EVERY_H)),
        horizon_h=int(said.get("horizon_h", HORIZON_H)),
        alert_threshold=number(said.get("alert_threshold", ALERT_THRESHOLD)),
    )
    if found.every_h < 1 or found.horizon_h < 1 or not 0.0 < found.alert_threshold <= 1.0:
        raise TwinSettingsInvalid(
            f"{recipe}: every_h, horizon_h or alert_threshold is out of range"
        )
    return found


def limits(recipe: MasterRecipe) -> tuple[Limit, ...]:
    """Return the limits that are foretold.

    `limit_windows` names the parameters whose limits are foretold, each with the hours of the batch
    in which its limits hold: `{"lab_mab_g_l": ["284.0", "288.0"]}`, null for without end. Bounds,
    unit and criticality are the parameter's own.
    """
    windows: Mapping[str, Sequence[Any]] = recipe.twin_settings["limit_windows"]
    parameters = {parameter.tag: parameter for parameter in recipe.parameters.order_by("tag")}
    if unknown := sorted(set(windows) - set(parameters)):
        raise TwinSettingsInvalid(f"{recipe} has no parameter {', '.join(unknown)}")
    return tuple(_limit(parameters[tag], *windows[tag]) for tag in sorted(windows))


def process_tag(tag: str) -> str:
    """Return the process value that a laboratory's test measures, by the prefix of its tag."""
    return tag.removeprefix("lab_")


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
