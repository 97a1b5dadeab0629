"""Run an ensemble of futures in parts, and merge the parts to the same bytes whoever ran them.

Each future starts at one of the estimated members and has future noise of its own, from a stream
that the number of its part names. So a part is a function of the request and its number, and the
ensemble one of the request and its size: how many workers shared the parts leaves no trace.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import stdev
from typing import Any, Literal

import numpy as np

from twins.models import (
    crossing,
    describing,
    documents,
    domain,
    ensemble,
    estimation,
    projection,
    requests,
)
from twins.models.cho_fed_batch import measuring
from twins.models.cho_fed_batch.declared import UNITS
from twins.models.crossing import Side
from twins.models.documents import Json
from twins.models.estimation import MEMBERS
from twins.models.forecasts import Trajectory
from twins.models.requests import ForecastRequest, RequestInvalid

TWINS = ("cho-fed-batch",)

_STREAM_FUTURES = 5


@dataclass(frozen=True)
class Crossings:
    """One side of one limit: the hours after which futures of a part crossed it, in order."""

    tag: str
    side: Literal["low", "high"]
    bound: float
    unit: str
    hours: tuple[float, ...]


@dataclass(frozen=True)
class Share:
    """What one part of an ensemble came to."""

    part: int
    members: int
    integration_error: float
    limits: tuple[Crossings, ...]
    trajectories: tuple[Trajectory, ...]


def require(request: ForecastRequest) -> None:
    """Raise `RequestInvalid` unless the twin may speak of this batch at all."""
    requests.require_sound(request)
    if outside := domain.outside(request, domain.means_by_tag(request)):
        raise RequestInvalid("; ".join(outside))


def run(request: ForecastRequest, *, part: int, members: int) -> Share:
    """Run one part of an ensemble; raise `RequestInvalid` or `IntegrationInaccurate`."""
    require(request)
    estimate = estimation.assimilate(request)
    rows = np.ascontiguousarray(estimate.rows[:, np.arange(members) % MEMBERS])
    future = projection.project(
        request,
        rows,
        draw=lambda step: ensemble.standard_normals(
            seed=request.seed, stream=(_STREAM_FUTURES, part, step), shape=rows.shape
        ),
    )
    return Share(
        part=part,
        members=members,
        integration_error=max(estimate.error, future.error),
        limits=tuple(
            _crossings(side, future) for side in _sides(request) if _applies(side, future)
        ),
        trajectories=tuple(
            describing.trajectory(tag, UNITS[tag], future.paths[tag], future.ends_h)
            for tag in sorted(future.paths)
        ),
    )


def to_document(share: Share) -> Json:
    """Return a part as a document in which every float is a decimal string."""
    return documents.of(share)


def merge(shares: Sequence[Mapping[str, Any]]) -> Json:
    """Merge the documents of all parts, in the order of their numbers.

    Probabilities and lead times are those of all futures together. A quantile of a path is the mean
    of the parts' quantiles, and its standard error comes from how they differ (batch means).
    """
    members = sum(share["members"] for share in shares)
    return documents.of(
        {
            "members": members,
            "parts": len(shares),
            "integration_error": max(float(share["integration_error"]) for share in shares),
            "limits": [
                _merged_limit([share["limits"][row] for share in shares], members)
                for row in range(len(shares[0]["limits"]))
            ],
            "trajectories": [
                _merged_path([share["trajectories"][row] for share in shares])
                for row in range(len(shares[0]["trajectories"]))
            ],
        }
    )


def _sides(request: ForecastRequest) -> tuple[Side, ...]:
    return tuple(
        side
        for side in crossing.sides(request.limits)
        if side.limit.tag in measuring.PROCESS_VALUES
    )


def _applies(side: Side, future: projection.Projection) -> bool:
    return side.applies_between(future.ends_h[0], future.ends_h[-1])


def _crossings(side: Side, future: projection.Projection) -> Crossings:
    hours = crossing.first_crossings(side, future.paths[side.limit.tag], future.ends_h)
    crossed = np.sort(hours[np.isfinite(hours)])
    return Crossings(
        tag=side.limit.tag,
        side=side.side,
        bound=side.bound,
        unit=side.limit.unit,
        hours=tuple(crossed.tolist()),
    )


def _merged_limit(parts: Sequence[Mapping[str, Any]], members: int) -> dict[str, Any]:
    hours = np.sort(np.array([float(hour) for part in parts for hour in part["hours"]]))
    leads = crossing.lead_times(hours)
    share = (hours.size + 0.5) / (members + 1)
    return {
        **{name: parts[0][name] for name in ("tag", "side", "bound", "unit")},
        "crossed": int(hours.size),
        "probability": share,
        "standard_error": math.sqrt(share * (1.0 - share) / members),
        "lead_h_10": leads and leads[0],
        "lead_h_median": leads and leads[1],
        "lead_h_90": leads and leads[2],
    }


def _merged_path(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {name: parts[0][name] for name in ("tag", "unit", "at_h")}
    for name in ("q05", "q50", "q95"):
        columns = list(zip(*([float(one) for one in part[name]] for part in parts), strict=True))
        found[name] = [math.fsum(column) / len(column) for column in columns]
        if len(parts) > 1:
            root = math.sqrt(len(parts))
            found[f"{name}_standard_error"] = [stdev(column) / root for column in columns]
    return found
