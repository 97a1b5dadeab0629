"""What a collector takes in: samples with a good quality, and notes of all that is no value."""

import math
import struct
from dataclasses import dataclass, field
from datetime import UTC, datetime

# Single precision has at most nine significant digits; the shortest text that reads back is meant.
_FLOAT_DIGITS = range(6, 10)


class NoNumber(ValueError):
    """The source sent something that is no decimal number."""


@dataclass(frozen=True)
class Target:
    """Where the values of one node, topic or metric belong."""

    batch: str
    tag: str
    unit: str


@dataclass(frozen=True)
class Sample:
    """One value of good quality, with the digits and the clock of the source."""

    target: Target
    at: datetime
    value: str
    is_historical: bool = False


@dataclass(frozen=True)
class Note:
    """Something that a reader of the batch has to know: a gap, a bad quality, an alarm.

    Without a batch it concerns the collector itself and stays in the buffer.
    """

    kind: str
    batch: str
    at: datetime
    text: str
    tag: str = ""
    details: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Aside:
    """A message that was received and cannot be told to be a reading: kept, shown, never sent."""

    code: str
    text: str
    at: datetime


@dataclass
class Taken:
    """What one message or notification says; stored in one transaction or not at all."""

    samples: list[Sample] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    aside: list[Aside] = field(default_factory=list)
    states: dict[str, str] = field(default_factory=dict)

    def add(self, other: "Taken") -> None:
        self.samples += other.samples
        self.notes += other.notes
        self.aside += other.aside
        self.states |= other.states


def number(value: object, *, is_single: bool = False) -> str:
    """Return the digits of a number, or raise `NoNumber`; true and false are no numbers."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise NoNumber(f"{type(value).__name__} is no number")
    if isinstance(value, int):
        return str(value)
    if not math.isfinite(value):
        raise NoNumber(f"{value} is no number")
    if is_single:
        for digits in _FLOAT_DIGITS:
            text = f"{value:.{digits}g}"
            if struct.pack("<f", float(text)) == struct.pack("<f", value):
                return text
    return repr(value)


def moment(at: datetime) -> str:
    """Return the moment in UTC, as the API reads it."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
