"""What advice answers with, as frozen values. It is never an action: a person decides."""

from dataclasses import dataclass
from typing import Literal

from twins.models.forecasts import Trajectory
from twins.models.requests import FeedStep

# `no-lever`: this twin knows no effect of the feed on what is endangered.
Outcome = Literal["move", "none-needed", "not-enough", "no-lever", "undecided"]


@dataclass(frozen=True)
class Chance:
    """A probability of a crossing over all futures, with its 90 % interval."""

    probability: float
    low: float
    high: float


@dataclass(frozen=True)
class Departure:
    """By how much the feed departs from the feed as is, L/h, from a moment of the batch to another."""

    start_h: float
    end_h: float
    l_per_h: float


@dataclass(frozen=True)
class Move:
    """A feed that departs from the feed as is: its rates, and the litres that it adds."""

    departures: tuple[Departure, ...]
    feed: tuple[FeedStep, ...]
    added_l: float


@dataclass(frozen=True)
class SideChance:
    """One side of a limit: the chance of a crossing as is, and with the move."""

    tag: str
    side: Literal["low", "high"]
    bound: float
    unit: str
    before: Chance
    after: Chance | None


@dataclass(frozen=True)
class LastSafe:
    """The latest hour of the batch at which the strongest move still is enough.

    `low_h` and `high_h`: the same, with the upper and the lower end of the chance's interval.
    """

    at_h: float
    low_h: float
    high_h: float


@dataclass(frozen=True)
class Future:
    """One of the two futures: its feed, and what is foretold under it."""

    feed: tuple[FeedStep, ...]
    trajectories: tuple[Trajectory, ...]


@dataclass(frozen=True)
class Advice:
    """The whole answer.

    `move` is the smallest that is enough, or for `not-enough` the one that comes nearest to it;
    `sides[0]` is the endangered one.
    """

    outcome: Outcome
    reasons: tuple[str, ...]
    as_of_h: float
    horizon_h: float
    tag: str
    side: Literal["low", "high"]
    target: float
    seed: int
    futures: int
    integration_error: float | None
    move: Move | None
    last_safe: LastSafe | None
    sides: tuple[SideChance, ...]
    as_is: Future | None
    moved: Future | None
    code_digest: str
    parameters_digest: str
    input_digest: str
