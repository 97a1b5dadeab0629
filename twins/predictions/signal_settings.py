"""Read which tag of a recipe is which signal of a twin, and demand that each is a parameter."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from batches.quantities import units
from batches.recipes.models import MasterRecipe, ParameterKind
from twins.models.batch_monitoring.signals import (
    LABORATORY_NAMES,
    ONLINE_NAMES,
    STEP_H,
    Signal,
)
from twins.predictions.twin_settings import TwinSettingsInvalid

STEP = timedelta(hours=STEP_H)
_RATIO = "-"  # of the signals; UCUM writes 1


@dataclass(frozen=True)
class Tags:
    """The tag of each signal."""

    online: Mapping[str, str]
    laboratory: Mapping[str, str]


def tags(recipe: MasterRecipe, *, online: Sequence[Signal], laboratory: Sequence[Signal]) -> Tags:
    """Return the tags of signals; raise `TwinSettingsInvalid` naming what is wrong.

    A signal has the tag of its own name, or the one that `tags` gives it: `{"T": "temperature"}`.
    Each has to be a parameter of the recipe, in the unit of the signal.
    """
    named = recipe.twin_settings.get("tags", {})
    known = {*ONLINE_NAMES, *LABORATORY_NAMES}
    if not isinstance(named, dict) or (unknown := sorted(set(named) - known)):
        raise TwinSettingsInvalid(f"{recipe}: “tags” names no signals of the twin: {unknown}")
    found = Tags(
        online={one.name: str(named.get(one.name, one.name)) for one in online},
        laboratory={one.name: str(named.get(one.name, one.name)) for one in laboratory},
    )
    units_of = {
        (kind, tag): unit
        for kind, tag, unit in recipe.parameters.values_list("kind", "tag", "unit")
    }
    wrong = []
    for kind, signals, by_signal in (
        (ParameterKind.READING, online, found.online),
        (ParameterKind.RESULT, laboratory, found.laboratory),
    ):
        for one in signals:
            tag = by_signal[one.name]
            unit = units_of.get((kind, tag))
            if unit is None:
                wrong.append(f"{tag} is no {kind.label.lower()} of the recipe")
            elif not units.is_same(unit, _unit(one)):
                wrong.append(f"{tag} is in {unit}, the twin reads {_unit(one)}")
    if wrong:
        raise TwinSettingsInvalid(f"{recipe}: {'; '.join(wrong)}")
    return found


def _unit(signal: Signal) -> str:
    return "1" if signal.unit == _RATIO else signal.unit
