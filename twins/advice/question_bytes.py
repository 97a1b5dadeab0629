"""Write a question for advice as canonical bytes, and read exactly the same question from them."""

from typing import Any

from compliance.trail.tlog import canonical
from twins.hub import versions
from twins.models.advice.questions import AdviceRequest, MoveRange
from twins.predictions import request_bytes


def write(question: AdviceRequest[Any]) -> bytes:
    """Return the canonical bytes whose digest the advice itself names as its input."""
    return request_bytes.write(question)


def read(data: bytes, *, twin: str) -> AdviceRequest[Any]:
    """Return the question to a twin that `write` wrote.

    Raise `canonical.NotCanonical` for other bytes, or `TwinMissing`.
    """
    said: Any = canonical.loads(data)
    room = said["range"]
    return AdviceRequest(
        forecast=versions.installed(twin).read(said["forecast"]),
        tag=said["tag"],
        side=said["side"],
        target=float(said["target"]),
        delay_h=said["delay_h"],
        range=MoveRange(
            low=float(room["low"]),
            high=float(room["high"]),
            max_step=float(room["max_step"]),
            resolution=float(room["resolution"]),
            block_h=room["block_h"],
            source=room["source"],
        ),
    )
