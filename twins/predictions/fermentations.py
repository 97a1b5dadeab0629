"""Ask the penicillin twin about a batch: plan of its recipe, samples of twelve minutes, and results."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from batches.execution.models import Batch
from batches.quantities import units
from batches.recipes.models import MasterRecipe
from twins.models.batch_monitoring.signals import LABORATORY, ONLINE
from twins.models.declarations import Limit
from twins.models.penicillin_fed_batch import asking, deviation_forecast
from twins.models.penicillin_fed_batch.asking import FermentationRequest, PlanStep
from twins.models.requests import Observation
from twins.predictions import history, inputs, signal_settings, twin_settings
from twins.predictions.signal_settings import STEP, Tags
from twins.predictions.twin_settings import Pace, TwinSettingsInvalid, number, process_tag

_KNOWN = {"tags", "profile", "advice"}
_READ = tuple(one for one in ONLINE if one.name in asking.ONLINE_TAGS)
_ANALYSED = tuple(one for one in LABORATORY if one.name in asking.LABORATORY_TAGS)


@dataclass(frozen=True)
class FermentationSettings:
    """What a recipe tells its twin: the tag of each signal, the plan, and the limits.

    `names` says what the recipe calls a process value, by the signal that measures it.
    """

    tags: Tags
    names: Mapping[str, str]
    plan: Mapping[str, tuple[PlanStep, ...]]
    limits: tuple[Limit, ...]
    pace: Pace


def settings(recipe: MasterRecipe) -> FermentationSettings:
    """Return the settings of a recipe; raise `TwinSettingsInvalid` naming what is wrong.

    Signals are parameters of the recipe under the tags and in the units of the watching twin.
    `profile` has the set-points over time: `{"Fs": [["0.0", "8"], ["3.0", "15"]], ...}`.
    """
    said = recipe.twin_settings
    with twin_settings.read_strictly(recipe, known=_KNOWN):
        tags = signal_settings.tags(recipe, online=_READ, laboratory=_ANALYSED)
        plan = {
            signal: tuple(PlanStep(number(start), number(value)) for start, value in steps)
            for signal, steps in said["profile"].items()
        }
        asking.require_plan(plan)
        names = _names(recipe, tags)
        return FermentationSettings(
            tags=tags,
            names=names,
            plan=plan,
            limits=tuple(_in_units(recipe, one, names) for one in twin_settings.limits(recipe)),
            pace=twin_settings.pace(recipe),
        )


def pace(recipe: MasterRecipe) -> Pace:
    """Return how often the twin runs; raise `TwinSettingsInvalid` for what it cannot be asked."""
    return settings(recipe).pace


def assemble(batch: Batch, *, as_of: datetime, horizon_h: int, seed: int) -> FermentationRequest:
    """Return the request about a batch as of a moment.

    Raise `BatchNotPredictable` or `TwinSettingsInvalid`.
    """
    started_at = inputs.started_by(batch, as_of)
    told = settings(batch.recipe)
    read = history.stepped(
        batch, started_at=started_at, as_of=as_of, tags=told.tags.online.values(), step=STEP
    )
    signals = {f"lab_{process_tag(tag)}": signal for signal, tag in told.tags.laboratory.items()}
    results = history.results(batch, started_at=started_at, as_of=as_of, tags=signals.keys())
    slots = sorted({slot for found in read.values() for slot in found})
    return FermentationRequest(
        as_of_h=history.hours(as_of, since=started_at),
        horizon_h=float(horizon_h),
        seed=seed,
        names=told.names,
        plan=told.plan,
        slots=tuple(slots),
        online={
            signal: tuple(read[tag].get(slot) for slot in slots)
            for signal, tag in told.tags.online.items()
        },
        laboratory=tuple(
            Observation(signals[one.tag], one.at_h, one.value, one.reported_h) for one in results
        ),
        limits=told.limits,
    )


def _names(recipe: MasterRecipe, tags: Tags) -> dict[str, str]:
    found = {
        process_tag(signal): process_tag(tag)
        for signal, tag in (*tags.online.items(), *tags.laboratory.items())
    }
    if len(set(found.values())) < len(found):
        raise TwinSettingsInvalid(f"{recipe}: two signals have tags of the same process value")
    return found


def _in_units(recipe: MasterRecipe, limit: Limit, names: Mapping[str, str]) -> Limit:
    """Return the limit in the twin's word for its unit."""
    known = deviation_forecast.units_of(names)
    if limit.tag not in known:
        raise TwinSettingsInvalid(f"{recipe}: the twin does not foretell {limit.tag}")
    if not units.is_same(limit.unit, known[limit.tag]):
        raise TwinSettingsInvalid(
            f"{recipe}: {limit.tag} is in {limit.unit}, the twin foretells {known[limit.tag]}"
        )
    return replace(limit, unit=known[limit.tag])
