"""A batch of the penicillin model under a recipe like the source's, made by the model itself."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from twins.models.declarations import Limit
from twins.models.penicillin_fed_batch import asking, cross_check, measuring, simulation
from twins.models.penicillin_fed_batch import layout as at
from twins.models.penicillin_fed_batch.asking import FermentationRequest, PlanStep
from twins.models.penicillin_fed_batch.simulation import Run
from twins.models.requests import Observation

FloatArray = NDArray[np.float64]
Columns = dict[str, FloatArray]

SAMPLE_H = 0.2
DELAY = 20  # samples from taking one to its report
FAULT_H = 36.0


def inputs(share: float = 1.0) -> FloatArray:
    """Return what flows: the recipe, with a share of its sugar from the fault on."""
    found = cross_check.reference_inputs()
    found[round(FAULT_H / SAMPLE_H) :, at.FS] *= share
    return found


@cache
def run(share: float = 1.0) -> Run:
    """Return the states of the batch."""
    flows = inputs(share)
    ends = np.arange(1, len(flows) + 1) * SAMPLE_H
    return simulation.simulate(simulation.inoculated(), flows, ends_h=ends)


def measured(share: float = 1.0) -> Columns:
    """Return one array a tag; a laboratory value stands where it was reported, every twelve hours."""
    generator = np.random.Generator(np.random.PCG64(7))
    clean = run(share).states[1:] @ measuring.SEES.T
    noise = measuring.NOISE[:, 0] + measuring.NOISE[:, 1] * np.abs(clean)
    values = clean + noise * generator.standard_normal(clean.shape)
    flows = inputs(share)
    batch = {tag: flows[:, place].copy() for place, tag in enumerate(measuring.INPUT_TAGS)}
    online = len(measuring.ONLINE)
    for place, tag in enumerate(measuring.TAGS):
        batch[tag] = values[:, place].copy()
        if place >= online:
            batch[tag][:] = np.nan
            for sampled in range(59, len(flows) - DELAY, 60):
                batch[tag][sampled + DELAY] = values[sampled, place]
    return batch


def plan() -> dict[str, tuple[PlanStep, ...]]:
    """Return the recipe's set-points, a step where one changes."""
    flows, found = inputs(), {}
    for tag in (*asking.PLANNED, *asking.USUAL):
        column = flows[:, measuring.INPUT_TAGS.index(tag)]
        changed = np.flatnonzero(np.concatenate([[True], column[1:] != column[:-1]]))
        found[tag] = tuple(PlanStep(row / 5, float(column[row])) for row in changed.tolist())
    return found


def asked(
    batch: Columns,
    planned: dict[str, tuple[PlanStep, ...]],
    *,
    as_of_h: float,
    horizon_h: float,
    limits: tuple[Limit, ...] = (),
    seed: int = 1,
) -> FermentationRequest:
    """Return what is asked of a batch at a moment, from what was known then."""
    count = round(as_of_h * 5)
    return FermentationRequest(
        as_of_h=as_of_h, horizon_h=horizon_h, seed=seed, names={}, plan=planned,
        slots=tuple(range(1, count + 1)),
        online={tag: tuple(batch[tag][:count].tolist()) for tag in asking.ONLINE_TAGS},
        laboratory=tuple(
            Observation(tag, (row + 1 - DELAY) / 5, float(batch[tag][row]), (row + 1) / 5)
            for tag in asking.LABORATORY_TAGS
            for row in np.flatnonzero(~np.isnan(batch[tag][:count])).tolist()
            if row >= DELAY
        ),
        limits=limits,
    )  # fmt: skip
