"""What a forecast of a penicillin batch is asked with: its samples, its results, the recipe's plan."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from twins.models.declarations import Limit
from twins.models.penicillin_fed_batch import measuring, replaying
from twins.models.penicillin_fed_batch.following import SAMPLE_H
from twins.models.requests import (
    Measured,
    Observation,
    RequestInvalid,
    points,
    read_limits,
    read_observations,
    require_finite,
)

# What the recipe prescribes; the rest is moved by loops, or by nobody.
PLANNED = ("Fg", "RPM", "Fs", "Fw", "pressure", "Fpaa", "Foil", "Fremoved")
# A loop moves it, but a recipe may say how much it usually takes.
USUAL = ("Fb",)
ONLINE_TAGS = (*measuring.INPUT_TAGS, *(one.tag for one in measuring.ONLINE))
LABORATORY_TAGS = tuple(one.tag for one in measuring.LABORATORY)


@dataclass(frozen=True)
class PlanStep:
    """The set-point from a moment until the next step."""

    start_h: float
    value: float


@dataclass(frozen=True)
class FermentationRequest:
    """Everything a forecast of a penicillin batch depends on; hours count from inoculation.

    A sample of `slots` is the last reading of twelve minutes, the first slot is 1; `online` has a value
    for each, None where there was none. A result counts at its sampling. `names` says what the recipe
    calls a signal, in limits and answers too.
    """

    as_of_h: float
    horizon_h: float
    seed: int
    names: Mapping[str, str]
    plan: Mapping[str, tuple[PlanStep, ...]]
    slots: tuple[int, ...]
    online: Mapping[str, tuple[float | None, ...]]
    laboratory: tuple[Observation, ...]
    limits: tuple[Limit, ...]

    def measured(self, tag: str) -> Measured:
        """Return what was measured of a process value."""
        signal = self.signal(tag)
        read = self.online.get(signal, ())
        return Measured(
            online=tuple(
                (slot * SAMPLE_H, value)
                for slot, value in zip(self.slots, read, strict=False)
                if value is not None
            ),
            laboratory=points(one for one in self.laboratory if one.tag == f"lab_{signal}"),
        )

    def name(self, signal: str) -> str:
        """Return what the recipe calls a process value."""
        return self.names.get(signal, signal)

    def signal(self, tag: str) -> str:
        """Return the signal that the recipe calls so; itself when there is none."""
        of = {name: signal for signal, name in self.names.items()}
        return of.get(tag, tag)

    @cached_property
    def arrays(self) -> dict[str, replaying.FloatArray]:
        """Return one array a tag, a value a sample, not a number where there is none."""
        return replaying.visible(tuple(self.observations()), as_of_h=self.as_of_h)

    def observations(self) -> Iterable[Observation]:
        """Yield every reading and every result."""
        for tag, column in self.online.items():
            for slot, value in zip(self.slots, column, strict=True):
                if value is not None:
                    yield Observation(tag, slot * SAMPLE_H, value, slot * SAMPLE_H)
        yield from self.laboratory


def read(said: Mapping[str, Any]) -> FermentationRequest:
    """Return the request of a document whose numbers are decimal strings."""
    return FermentationRequest(
        as_of_h=float(said["as_of_h"]),
        horizon_h=float(said["horizon_h"]),
        seed=said["seed"],
        names=dict(said["names"]),
        plan={
            tag: tuple(PlanStep(float(one["start_h"]), float(one["value"])) for one in steps)
            for tag, steps in said["plan"].items()
        },
        slots=tuple(said["slots"]),
        online={
            tag: tuple(None if one is None else float(one) for one in column)
            for tag, column in said["online"].items()
        },
        laboratory=read_observations(said["laboratory"]),
        limits=read_limits(said["limits"]),
    )


def require(request: FermentationRequest) -> None:
    """Raise `RequestInvalid` when the request cannot be read as a batch."""
    require_finite(
        [
            request.as_of_h,
            request.horizon_h,
            *(
                n
                for steps in request.plan.values()
                for one in steps
                for n in (one.start_h, one.value)
            ),
            *(n for column in request.online.values() for n in column if n is not None),
        ],
        request.laboratory,
        seed=request.seed,
    )
    if request.horizon_h != int(request.horizon_h):
        raise RequestInvalid("the horizon is no whole number of hours")
    if any(later <= earlier for earlier, later in pairwise((0, *request.slots))):
        raise RequestInvalid("the samples are not in order of time")
    try:
        require_plan(request.plan)
    except ValueError as error:
        raise RequestInvalid(str(error)) from error
    if set(request.online) != set(ONLINE_TAGS):
        wrong = ", ".join(sorted(set(request.online) ^ set(ONLINE_TAGS)))
        raise RequestInvalid(f"signals missing or not known: {wrong}")
    for tag, column in request.online.items():
        if len(column) != len(request.slots):
            raise RequestInvalid(f"{tag} has {len(column)} values, not {len(request.slots)}")


def require_plan(plan: Mapping[str, tuple[PlanStep, ...]]) -> None:
    """Raise `ValueError` for a plan that lacks a set-point, or whose steps are out of order."""
    if missing := sorted(set(PLANNED) - set(plan)):
        raise ValueError(f"the plan has no {', '.join(missing)}")
    if unknown := sorted(set(plan) - {*PLANNED, *USUAL}):
        raise ValueError(f"nobody plans {', '.join(unknown)}")
    for tag, steps in plan.items():
        starts = [one.start_h for one in steps]
        if not starts or starts[0] != 0.0 or any(b <= a for a, b in pairwise(starts)):
            raise ValueError(f"the plan of {tag} does not begin at 0 h and go on in order of time")


def planned(steps: tuple[PlanStep, ...], *, first: int, count: int) -> replaying.FloatArray:
    """Return the set-points of samples, each as it is in the middle of its twelve minutes."""
    starts = np.array([one.start_h for one in steps])
    middles = (np.arange(first, first + count) + 0.5) * SAMPLE_H
    values = np.array([one.value for one in steps])
    found: replaying.FloatArray = values[np.searchsorted(starts, middles, side="right") - 1]
    return found
