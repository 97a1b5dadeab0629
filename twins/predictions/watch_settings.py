"""Read what a master recipe tells a watching twin: which tag is which signal, how often to run."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from batches.quantities import units
from batches.recipes.models import MasterRecipe, ParameterKind
from twins.models.batch_monitoring.signals import LABORATORY, ONLINE, STEP_H, Signal
from twins.predictions.twin_settings import TwinSettingsInvalid, number

EVERY_H = "1.0"
STEP = timedelta(hours=STEP_H)
_KNOWN = {"tags", "every_h"}
_RATIO = "-"  # of the signals; UCUM writes 1


@dataclass(frozen=True)
class WatchSettings:
    """The tag of each signal, and the hours between two predictions."""

    online: Mapping[str, str]
    laboratory: Mapping[str, str]
    every_h: float


def of(recipe: MasterRecipe) -> WatchSettings:
    """Return the settings of a recipe; raise `TwinSettingsInvalid` naming what is wrong.

    A signal has the tag of its own name, or the one that `tags` gives it: `{"T": "temperature"}`.
    Each has to be a parameter of the recipe, in the unit that the twin was trained in.
    """
    said = recipe.twin_settings
    if unknown := sorted(set(said) - _KNOWN):
        raise TwinSettingsInvalid(f"{recipe}: this twin is told nothing named {', '.join(unknown)}")
    tags = said.get("tags", {})
    names = {one.name for one in (*ONLINE, *LABORATORY)}
    if not isinstance(tags, dict) or (unknown := sorted(set(tags) - names)):
        raise TwinSettingsInvalid(f"{recipe}: “tags” names no signals of the twin: {unknown}")
    try:
        every_h = number(said.get("every_h", EVERY_H))
    except (TypeError, ValueError) as error:
        raise TwinSettingsInvalid(f"{recipe}: every_h: {error}") from error
    if every_h < STEP_H:
        raise TwinSettingsInvalid(f"{recipe}: every_h is less than a sample, {STEP_H:g} h")
    found = WatchSettings(
        online={one.name: str(tags.get(one.name, one.name)) for one in ONLINE},
        laboratory={one.name: str(tags.get(one.name, one.name)) for one in LABORATORY},
        every_h=every_h,
    )
    _demand_parameters(recipe, found)
    return found


def _demand_parameters(recipe: MasterRecipe, told: WatchSettings) -> None:
    units_of = {
        (kind, tag): unit
        for kind, tag, unit in recipe.parameters.values_list("kind", "tag", "unit")
    }
    wrong = []
    for kind, signals, tags in (
        (ParameterKind.READING, ONLINE, told.online),
        (ParameterKind.RESULT, LABORATORY, told.laboratory),
    ):
        for one in signals:
            unit = units_of.get((kind, tags[one.name]))
            if unit is None:
                wrong.append(f"{tags[one.name]} is no {kind.label.lower()} of the recipe")
            elif not units.is_same(unit, _unit(one)):
                wrong.append(f"{tags[one.name]} is in {unit}, the twin reads {_unit(one)}")
    if wrong:
        raise TwinSettingsInvalid(f"{recipe}: {'; '.join(wrong)}")


def _unit(signal: Signal) -> str:
    return "1" if signal.unit == _RATIO else signal.unit
