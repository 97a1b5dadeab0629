"""Words in which a twin declares what it is, what it needs and where it holds."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Range:
    """A closed interval in which a named input must lie."""

    name: str
    low: float
    high: float
    unit: str

    def holds(self, value: float) -> bool:
        """Tell whether the value lies inside; not-a-number does not."""
        return self.low <= value <= self.high

    def __str__(self) -> str:
        return f"{self.name} {self.low:g} to {self.high:g} {self.unit}"


@dataclass(frozen=True)
class State:
    """A quantity that the equations carry through time."""

    name: str
    unit: str


@dataclass(frozen=True)
class Input:
    """A quantity that acts on the states from outside, with the tag that reports it."""

    name: str
    unit: str
    tag: str


@dataclass(frozen=True)
class Parameter:
    """A constant of the equations with its source and the range in which it may be moved."""

    name: str
    value: float
    unit: str
    source: str
    low: float
    high: float


@dataclass(frozen=True)
class Output:
    """A measured quantity: its noise is `noise_sd` plus `noise_relative` times the value."""

    tag: str
    unit: str
    noise_sd: float
    delay_h: float
    kind: Literal["online", "laboratory"]
    noise_relative: float = 0.0
    valid_low: float = 0.0
    valid_high: float = float("inf")

    def sd(self, value: float) -> float:
        """Return the standard deviation of one measurement of this value."""
        return self.noise_sd + self.noise_relative * abs(value)


@dataclass(frozen=True)
class Limit:
    """A limit of the recipe on a tag, from a moment of the batch until another."""

    tag: str
    low: float | None
    high: float | None
    unit: str
    criticality: str
    applies_from_h: float = 0.0
    applies_until_h: float | None = None


@dataclass(frozen=True)
class Uncertain:
    """A factor or offset that is estimated beside the states.

    `walk_per_sqrt_h` is how fast it may change while data come in, `future_walk_per_sqrt_h`
    how fast it is assumed to change in a forecast.
    """

    name: str
    nominal: float
    prior_sd: float
    low: float
    high: float
    walk_per_sqrt_h: float
    future_walk_per_sqrt_h: float
    unit: str = "1"


@dataclass(frozen=True)
class Declaration:
    """All that a twin declares about itself."""

    name: str
    intended_use: str
    states: tuple[State, ...]
    inputs: tuple[Input, ...]
    parameters: tuple[Parameter, ...]
    uncertain: tuple[Uncertain, ...]
    outputs: tuple[Output, ...]
    domain: tuple[Range, ...]

    @property
    def valid_range(self) -> str:
        """Return the input space as text."""
        return "; ".join(str(one) for one in self.domain)
