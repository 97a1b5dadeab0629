"""What a simulated plant says: readings, events, samples and laboratory results."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Reading:
    """A value of a sensor."""

    tag: str
    at_h: float
    value: float
    unit: str


@dataclass(frozen=True)
class Event:
    """Something that an operator or the automation did."""

    kind: str
    at_h: float
    text: str


@dataclass(frozen=True)
class SampleTaken:
    """A sample that left the vessel for the laboratory."""

    sample: str
    at_h: float


@dataclass(frozen=True)
class LaboratoryResult:
    """A result as the laboratory reports it: a decimal with its scale, hours after sampling.

    `tag` is the name under which a twin knows it.
    """

    sample: str
    test: str
    tag: str
    sampled_h: float
    reported_h: float
    value: str
    scale: int
    unit: str


Message = Reading | Event | SampleTaken | LaboratoryResult
