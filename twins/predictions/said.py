"""What a run of a twin came to, in the form that every kind of twin has in common."""

from dataclasses import dataclass
from typing import Any

# An alert that is about no limit of one tag, but about the batch as a whole.
WHOLE_BATCH, UNLIKE = "batch", "odd"


@dataclass(frozen=True)
class Said:
    """An answer: its canonical bytes, its status, and the answer itself."""

    output: bytes
    status: str
    answer: Any


@dataclass(frozen=True)
class Warned:
    """What an alert is raised for; numbers as the decimal strings that are stored, "" for none."""

    tag: str
    side: str
    limit: str
    unit: str
    probability: str
    contributions: tuple[tuple[str, str], ...]
    reason: str
    impact_probability: str = ""
    lead_time_h: str = ""
    lead_time_low_h: str = ""
    lead_time_high_h: str = ""


def digits(number: float | None) -> str:
    """Return the digits by which a number of an answer is stored; empty where there is none."""
    return "" if number is None else repr(float(number))


def in_words(signal: str, check: str) -> str:
    """Say which signal of a watched batch is odd, and against what."""
    return f"{signal} {_CHECKS.get(check.split('-', maxsplit=1)[0].rstrip('0123456789'), check)}"


_CHECKS = {
    "next": "against its last samples and the other signals",
    "level": "against the other signals now",
    "past": "against the state of hours ago",
    "driven": "against the set-points",
    "recipe": "off the recipe",
    "loop": "off its set-point with room left",
    "noise": "smoother or rougher than its probe is",
    "laboratory": "against the laboratory",
    "usual": "unlike other batches at this age",
}
