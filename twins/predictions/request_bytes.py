"""Write a forecast's request as canonical bytes, and read exactly the same request from them."""

from collections.abc import Mapping
from typing import Any

from compliance.trail.tlog import canonical
from twins.models import documents
from twins.models.declarations import Limit
from twins.models.requests import FeedStep, ForecastRequest, Observation


def write(value: object) -> bytes:
    """Return the canonical bytes of a twin's value: every float is its shortest decimal.

    For a request these are the bytes whose digest the forecast itself names as its input.
    """
    return canonical.dumps(documents.of(value))


def read(data: bytes) -> ForecastRequest:
    """Return the request that `write` wrote; raise `canonical.NotCanonical` for any other bytes."""
    said: Any = canonical.loads(data)
    return ForecastRequest(
        as_of_h=float(said["as_of_h"]),
        horizon_h=float(said["horizon_h"]),
        seed=said["seed"],
        initial={name: float(value) for name, value in said["initial"].items()},
        feed=tuple(
            FeedStep(float(step["start_h"]), float(step["rate_l_per_h"])) for step in said["feed"]
        ),
        feed_glucose_mmol_l=float(said["feed_glucose_mmol_l"]),
        feed_glutamine_mmol_l=float(said["feed_glutamine_mmol_l"]),
        observations=tuple(
            Observation(
                seen["tag"], float(seen["at_h"]), float(seen["value"]), float(seen["reported_h"])
            )
            for seen in said["observations"]
        ),
        limits=tuple(_limit(limit) for limit in said["limits"]),
    )


def _limit(said: Mapping[str, Any]) -> Limit:
    def number(name: str) -> float | None:
        return None if said[name] is None else float(said[name])

    return Limit(
        tag=said["tag"],
        low=number("low"),
        high=number("high"),
        unit=said["unit"],
        criticality=said["criticality"],
        applies_from_h=float(said["applies_from_h"]),
        applies_until_h=number("applies_until_h"),
    )
