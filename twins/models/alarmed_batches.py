"""Bring a batch that a data-driven twin alarmed before the mechanistic one: arrays, recipe, onset."""

from dataclasses import dataclass

import numpy as np

from twins.models.batch_monitoring.design import INDEX
from twins.models.batch_monitoring.model import Model, answer
from twins.models.batch_monitoring.samples import Floats, Grid
from twins.models.batch_monitoring.signals import LABORATORY_NAMES, ONLINE_NAMES, STEP_H
from twins.models.penicillin_fed_batch import measuring

# An alarm is walked back to where its score last was below this share of the limit.
ROSE_FROM = 0.5
# The estimate starts at inoculation.
_LATEST_START_H = 1.0


class StartMissing(ValueError):
    """The first hours of a batch are missing, and the mechanistic twin starts at inoculation."""

    code = "batch-start-missing"


@dataclass(frozen=True)
class Alarm:
    """When an alarm began and its score to rise, and whether it stands at the moment asked for."""

    since_h: float
    rose_h: float
    stands: bool


def alarm_of(model: Model, grid: Grid) -> Alarm | None:
    """Return the alarm that stands at the last sample, else the first one there was."""
    found = alarms_of(model, grid)
    if not found:
        return None
    return found[-1] if found[-1].stands else found[0]


def alarms_of(model: Model, grid: Grid) -> tuple[Alarm, ...]:
    """Return every alarm of a batch in order; only the last one may stand at the last sample."""
    said = answer(model, grid)
    before = np.concatenate([[False], said.alarm[:-1]])
    found = []
    for first in np.flatnonzero(said.alarm & ~before).tolist():
        below = np.flatnonzero(said.steady[:first] < ROSE_FROM)
        rose = int(below[-1]) + 1 if len(below) else 0
        stands = bool(said.alarm[first:].all())
        found.append(Alarm(float(grid.time_h[first]), float(grid.time_h[rose]), stands))
    return tuple(found)


def recipe_of(model: Model) -> dict[str, Floats]:
    """Return the usual inputs at each age, from the normal batches that the detector knows."""
    profile = model.detector.fitted.profile
    found = {tag: profile[:, INDEX[tag]] for tag in measuring.INPUT_TAGS}
    # The detector compares flows of the jacket on a scale of logarithms, `design.transformed`.
    return found | {tag: 10.0 * np.expm1(found[tag]) for tag in ("Fc", "Fh")}


def arrays_of(grid: Grid) -> dict[str, Floats]:
    """Return one array a tag from inoculation on; what was not fresh is not a number.

    Raise `StartMissing`.
    """
    if grid.time_h[0] > _LATEST_START_H:
        raise StartMissing(
            f"the first sample is of {grid.time_h[0]:g} h; the estimate needs the batch from its "
            f"inoculation, at the latest from {_LATEST_START_H:g} h on"
        )
    missing = round(float(grid.time_h[0]) / STEP_H) - 1
    found: dict[str, Floats] = {}
    for place, name in enumerate(ONLINE_NAMES):
        values = np.where(grid.fresh[:, place], grid.values[:, place], np.nan)
        found[name] = np.concatenate([np.full(missing, np.nan), values])
    for place, name in enumerate(LABORATORY_NAMES):
        values = np.where(grid.laboratory_fresh[:, place], grid.laboratory[:, place], np.nan)
        found[name] = np.concatenate([np.full(missing, np.nan), values])
    return found
