"""What will flow into a penicillin batch: the recipe's plan, at the share of it that flows now.

A forecast assumes that what departs from the recipe goes on as it is. How far inputs will be from that
differs from member to member.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from twins.models import ensemble
from twins.models.penicillin_fed_batch import asking, following, measuring, replaying
from twins.models.penicillin_fed_batch import layout as at
from twins.models.penicillin_fed_batch.asking import FermentationRequest
from twins.models.penicillin_fed_batch.following import MEMBERS, SAMPLE_H, SAMPLES_AN_HOUR
from twins.models.penicillin_fed_batch.replaying import FloatArray

# What a person can move.
SUGAR = "Fs"
_STREAM_INPUTS = 4
# What flows now is the median of an hour; of what a loop moves, of six.
NOW_SAMPLES, LOOP_SAMPLES = 5, 30
# A loop takes a third to three times of the usual.
_LOOP_SHARE = 3.0
# A set-point below this is none, and has no share.
_NONE = 1e-3
# Normal batches stay within an eighth of the plan.
_DEPARTED = 0.125
# A discharge comes in full or not at all.
_WHOLE = ("Fremoved",)
# How far inputs are from this, as a share: set-points of normal batches, and what a loop will ask for.
SPREAD: Mapping[str, float] = {"Fs": 0.02, "Fw": 0.03, "Fpaa": 0.03, "Foil": 0.01, "Fb": 0.4}


@dataclass(frozen=True)
class Flows:
    """The plan of the samples to come (samples, inputs), and the share of each input that flows now."""

    plan: FloatArray
    share: FloatArray

    @property
    def now(self) -> FloatArray:
        """Return what will flow."""
        return self.plan * self.share


def flows(request: FermentationRequest, inputs: FloatArray, *, ahead: int) -> Flows:
    """Return what will flow after the samples of `inputs`; what is not planned goes on as it is."""
    count = inputs.shape[0]
    plan, share = np.zeros((ahead, at.INPUTS)), np.ones(at.INPUTS)
    for place, tag in enumerate(measuring.INPUT_TAGS):
        column = inputs[:, place]
        if tag not in request.plan:
            plan[:, place] = np.median(column[-LOOP_SAMPLES:])
            continue
        steps = request.plan[tag]
        plan[:, place] = asking.planned(steps, first=count, count=ahead)
        if tag in _WHOLE:
            continue
        back = min(LOOP_SAMPLES if tag in asking.USUAL else NOW_SAMPLES, count)
        expected = asking.planned(steps, first=count - back, count=back)
        if float(expected.min()) > _NONE:
            share[place] = np.median(column[-back:] / expected)
        if tag in asking.USUAL:
            share[place] = min(max(share[place], 1.0 / _LOOP_SHARE), _LOOP_SHARE)
    return Flows(plan, share)


def departed(request: FermentationRequest, flows: Flows) -> tuple[str, ...]:
    """Return which set-points are far from the plan, which a forecast takes to stay so."""
    return tuple(
        f"{request.name(tag)} is at {100.0 * share:.0f} % of the plan: foretold as if it goes on"
        for tag in asking.PLANNED
        if abs(math.log(max(share := float(flows.share[measuring.INPUT_TAGS.index(tag)]), 1e-3)))
        > _DEPARTED
    )


def ends(request: FermentationRequest) -> tuple[float, ...]:
    """Return the moments of a forecast: the last sample, then every hour to the horizon."""
    now_h = replaying.samples(request.as_of_h) * SAMPLE_H
    return tuple(now_h + hour for hour in range(int(request.horizon_h) + 1))


def hourly(request: FermentationRequest, tag: str) -> tuple[float, ...]:
    """Return the mean of each hour to the horizon of what will flow."""
    hours = int(request.horizon_h)
    inputs = following.inputs_of(request.arrays)
    will = flows(request, inputs, ahead=SAMPLES_AN_HOUR * hours).now
    column = will[:, measuring.INPUT_TAGS.index(tag)]
    return tuple(column.reshape(hours, SAMPLES_AN_HOUR).mean(axis=1).tolist())


def nominal(request: FermentationRequest, inputs: FloatArray) -> FloatArray:
    """Return what the recipe lets flow from inoculation on; as it was read where it plans nothing."""
    found = inputs.copy()
    for place, tag in enumerate(measuring.INPUT_TAGS):
        if tag in request.plan:
            found[:, place] = asking.planned(request.plan[tag], first=0, count=len(inputs))
    return found


def shares_of(seed: int) -> FloatArray:
    """Draw what each member has of an input (members, inputs)."""
    drawn = ensemble.standard_normals(
        seed=seed, stream=(_STREAM_INPUTS, 0), shape=(at.INPUTS, MEMBERS)
    ).T
    found = np.ones((MEMBERS, at.INPUTS))
    for tag, sd in SPREAD.items():
        place = measuring.INPUT_TAGS.index(tag)
        found[:, place] = [math.exp(sd * one) for one in drawn[:, place].tolist()]
    return found
