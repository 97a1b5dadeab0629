"""Ask what the alarm of a batch may be: the rows by their digest, the detector, until when."""

from dataclasses import dataclass
from typing import Any

from compliance.trail.tlog import canonical
from twins.predictions import request_bytes


@dataclass(frozen=True)
class Question:
    """What is asked of one batch.

    `rows_sha256` is the digest of the bytes that the watching twin was asked with, which hold every
    sample known at the moment. The product counts at `end_h`, or at the last sample when that is later.
    """

    batch: str
    detector: str
    detector_digest: str
    rows_sha256: str
    end_h: float
    seed: int


def write(question: Question) -> bytes:
    """Return the canonical bytes of a question."""
    return request_bytes.write(question)


def read(data: bytes) -> Question:
    """Return the question that `write` wrote; raise `canonical.NotCanonical` for other bytes."""
    said: Any = canonical.loads(data)
    return Question(**{**said, "end_h": float(said["end_h"])})
