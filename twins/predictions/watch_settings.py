"""Read what a master recipe tells a watching twin: which tag is which signal, how often to run."""

from dataclasses import dataclass

from batches.recipes.models import MasterRecipe
from twins.models.batch_monitoring.signals import LABORATORY, ONLINE, STEP_H
from twins.predictions import signal_settings
from twins.predictions.signal_settings import Tags
from twins.predictions.twin_settings import TwinSettingsInvalid, number

EVERY_H = "1.0"
_KNOWN = {"tags", "every_h"}


@dataclass(frozen=True)
class WatchSettings:
    """The tag of each signal, and the hours between two predictions."""

    tags: Tags
    every_h: float


def of(recipe: MasterRecipe) -> WatchSettings:
    """Return the settings of a recipe; raise `TwinSettingsInvalid` naming what is wrong."""
    said = recipe.twin_settings
    if unknown := sorted(set(said) - _KNOWN):
        raise TwinSettingsInvalid(f"{recipe}: this twin is told nothing named {', '.join(unknown)}")
    try:
        every_h = number(said.get("every_h", EVERY_H))
    except (TypeError, ValueError) as error:
        raise TwinSettingsInvalid(f"{recipe}: every_h: {error}") from error
    if every_h < STEP_H:
        raise TwinSettingsInvalid(f"{recipe}: every_h is less than a sample, {STEP_H:g} h")
    tags = signal_settings.tags(recipe, online=ONLINE, laboratory=LABORATORY)
    return WatchSettings(tags, every_h)
