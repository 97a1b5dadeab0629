"""Ask a trained batch twin about a running batch, as it was visible at one moment.

A pure function of the trained numbers and the request: the same two give the same bytes in every
process. What a replay of a file says of a sample (`batch_monitoring`), this says of the newest one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from twins.models.batch_monitoring import forecast, samples
from twins.models.batch_monitoring.channels import CHANNELS
from twins.models.batch_monitoring.model import Answer, Model, answer
from twins.models.batch_monitoring.samples import Grid
from twins.models.batch_monitoring.signals import LABORATORY_NAMES, ONLINE_NAMES, STEP_H

Verdict = Literal["normal", "undecided", "deviation", "out-of-domain"]
NAMED = 8
# What is forecast, under the name that the trained twin has for it: unit, and hours ahead.
QUANTITIES = {"penicillin": "g/l", "product": "kg"}
HORIZON_H = 40


class WatchRequestInvalid(ValueError):
    """A column has another length than the samples, or a signal is not known."""

    code = "watch-request-invalid"


@dataclass(frozen=True)
class WatchRequest:
    """The samples of a batch up to `as_of_h`, hours from its start.

    One value a sample in each column, None where there was none; a laboratory result stands at the
    first sample after its report.
    """

    as_of_h: float
    time_h: tuple[float, ...]
    online: Mapping[str, tuple[float | None, ...]]
    laboratory: Mapping[str, tuple[float | None, ...]]


@dataclass(frozen=True)
class Share:
    """What one signal adds to the score, and the check of it that speaks loudest."""

    signal: str
    check: str
    share: float


@dataclass(frozen=True)
class Foretold:
    """A quantity now and later, with the bounds between which nine of ten lie."""

    quantity: str
    unit: str
    at_h: tuple[float, ...]
    low: tuple[float, ...]
    middle: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True)
class Watch:
    """What the twin says of the newest sample; the score is in units of its limit.

    A batch far outside of all normal ones is out of the domain of the forecasts, and alarmed all the
    same. `p`: a deviation is active now. `p_impact`: one that takes the product 5 % off its path has
    begun. The shares and `rest` add up to `sample_score`, of which `score` is the least of three.
    """

    status: Verdict
    reasons: tuple[str, ...]
    as_of_h: float
    alarm: bool
    alarm_since_h: float | None
    p: float | None
    p_impact: float | None
    score: float | None
    sample_score: float | None
    shares: tuple[Share, ...]
    rest: float
    forecasts: tuple[Foretold, ...]
    history_h: tuple[float, ...]
    history: tuple[float, ...]


def run(model: Model, request: WatchRequest) -> Watch:
    """Answer a request; raise `WatchRequestInvalid` when it cannot be read as a batch."""
    grid = grid_of(request)
    if not len(request.time_h):
        return _silent(request, "there is no sample yet")
    said = answer(model, grid)
    now = len(grid.time_h) - 1
    alarm = bool(said.alarm[now])
    since = None
    if alarm:
        quiet = np.flatnonzero(~said.alarm)
        since = float(grid.time_h[int(quiet[-1]) + 1 if len(quiet) else 0])
    named, rest = _shares(said, now)
    return Watch(
        status=_verdict(said, now),
        reasons=_reasons(grid, said, now),
        as_of_h=request.as_of_h,
        alarm=alarm,
        alarm_since_h=since,
        p=float(said.p[now]),
        p_impact=float(said.p_costing[now]),
        score=float(said.steady[now]),
        sample_score=sum(one.share for one in named) + rest,
        shares=named,
        rest=rest,
        forecasts=_forecasts(said, grid, now),
        history_h=tuple(float(one) for one in grid.time_h),
        history=tuple(float(one) for one in said.steady),
    )


def grid_of(request: WatchRequest) -> Grid:
    """Return the samples of a request on the grid; raise `WatchRequestInvalid`."""
    count = len(request.time_h)
    for said, known in ((request.online, ONLINE_NAMES), (request.laboratory, LABORATORY_NAMES)):
        if set(said) != set(known):
            wrong = ", ".join(sorted(set(said) ^ set(known)))
            raise WatchRequestInvalid(f"signals missing or not known: {wrong}")
        for name, column in said.items():
            if len(column) != count:
                raise WatchRequestInvalid(f"{name} has {len(column)} values, not {count}")
    return samples.on_grid(
        np.array(request.time_h, dtype=np.float64),
        {name: _column(one) for name, one in request.online.items()},
        {name: _column(one) for name, one in request.laboratory.items()},
    )


def _column(values: tuple[float | None, ...]) -> samples.Floats:
    return np.array([np.nan if one is None else one for one in values], dtype=np.float64)


def _silent(request: WatchRequest, reason: str) -> Watch:
    return Watch(
        status="undecided", reasons=(reason,), as_of_h=request.as_of_h, alarm=False,
        alarm_since_h=None, p=None, p_impact=None, score=None, sample_score=None, shares=(),
        rest=0.0, forecasts=(), history_h=(), history=(),
    )  # fmt: skip


def _verdict(said: Answer, now: int) -> Verdict:
    if not said.in_domain[now]:
        return "out-of-domain"
    if said.alarm[now]:
        return "deviation"
    return "undecided" if said.undecided[now] else "normal"


def _reasons(grid: Grid, said: Answer, now: int) -> tuple[str, ...]:
    found = []
    silent = [
        name
        for name, known in zip(ONLINE_NAMES, grid.known[now].tolist(), strict=True)
        if not known
    ]
    if silent:
        found.append(f"silent for an hour or more: {', '.join(silent)}")
    if not said.in_domain[now]:
        found.append(
            "the batch is older, less measured or further from all normal batches than any that the "
            "twin was tried on"
        )
    elif said.undecided[now]:
        found.append("the score is within 15 % of its limit")
    return tuple(found)


def _shares(said: Answer, now: int) -> tuple[tuple[Share, ...], float]:
    """Return the strongest signals; theirs and the rest add up to the score of this sample."""
    of_signal: dict[str, list[tuple[float, str]]] = {}
    for place, one in enumerate(CHANNELS):
        of_signal.setdefault(one.signal, []).append((float(said.share[now, place]), one.kind))
    sums = sorted(
        ((sum(share for share, _ in parts), name) for name, parts in of_signal.items()),
        key=lambda one: (-one[0], one[1]),
    )
    named = tuple(
        Share(name, max(of_signal[name])[1], total) for total, name in sums[:NAMED] if total > 0.0
    )
    return named, sum(total for total, name in sums if name not in {one.signal for one in named})


def _forecasts(said: Answer, grid: Grid, now: int) -> tuple[Foretold, ...]:
    found = []
    for quantity, unit in QUANTITIES.items():
        keys = [key for key in forecast.KEYS if key.startswith(f"{quantity}_")]
        ahead = [float(key.rsplit("_", 1)[1].removesuffix("h")) for key in keys]
        found.append(
            Foretold(
                quantity=quantity,
                unit=unit,
                at_h=tuple(float(grid.time_h[now]) + one for one in ahead),
                low=tuple(float(said.bounds[key][0][now]) for key in keys),
                middle=tuple(float(said.forecasts[key][now]) for key in keys),
                high=tuple(float(said.bounds[key][1][now]) for key in keys),
            )
        )
    return tuple(found)


def read(said: Mapping[str, Any]) -> WatchRequest:
    """Return the request of a document whose numbers are decimal strings."""

    def columns(of: Mapping[str, list[str | None]]) -> dict[str, tuple[float | None, ...]]:
        return {
            name: tuple(None if one is None else float(one) for one in column)
            for name, column in of.items()
        }

    return WatchRequest(
        as_of_h=float(said["as_of_h"]),
        time_h=tuple(float(one) for one in said["time_h"]),
        online=columns(said["online"]),
        laboratory=columns(said["laboratory"]),
    )


def slot_end_h(slot: int) -> float:
    """Return the hour at which a step of the grid ends; its sample is the last one before."""
    return slot * STEP_H
