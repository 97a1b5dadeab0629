"""What a forecast answers with, as frozen values."""

from dataclasses import dataclass
from typing import Literal

Status = Literal["forecast", "undecided", "out-of-domain"]


@dataclass(frozen=True)
class Contribution:
    """By how much one variable moved the log-odds of a crossing away from the nominal batch."""

    variable: str
    log_odds: float


@dataclass(frozen=True)
class LimitForecast:
    """One side of one limit: the probability that it is crossed within the horizon, and why.

    The lead time counts from `as_of_h` to the first crossing, over the members that cross.
    Contributions are largest first and sum to `log_odds - nominal_log_odds`.
    """

    tag: str
    side: Literal["low", "high"]
    bound: float
    unit: str
    criticality: str
    probability: float | None
    lead_h_median: float | None
    lead_h_10: float | None
    lead_h_90: float | None
    log_odds: float | None
    nominal_log_odds: float | None
    contributions: tuple[Contribution, ...]


@dataclass(frozen=True)
class Trajectory:
    """Quantiles of a process value over time, hours from the start of the batch."""

    tag: str
    unit: str
    at_h: tuple[float, ...]
    q05: tuple[float, ...]
    q50: tuple[float, ...]
    q95: tuple[float, ...]


@dataclass(frozen=True)
class ParameterEstimate:
    """An uncertain parameter as estimated, and its shift from nominal in standard deviations."""

    name: str
    unit: str
    nominal: float
    mean: float
    sd: float
    shift: float


@dataclass(frozen=True)
class Innovation:
    """By how many standard deviations a measurement differed from what was expected."""

    tag: str
    at_h: float
    standardised: float


@dataclass(frozen=True)
class Residual:
    """How far the last day's measurements of a tag were from what the twin expected of them."""

    tag: str
    count: int
    mean_standardised: float
    mean_square: float


@dataclass(frozen=True)
class Forecast:
    """The whole answer; without status `forecast` it holds reasons and no probability.

    With it, reasons say what is missing beside the probabilities.
    """

    status: Status
    reasons: tuple[str, ...]
    as_of_h: float
    horizon_h: float
    seed: int
    members: int
    integration_error: float | None
    limits: tuple[LimitForecast, ...]
    trajectories: tuple[Trajectory, ...]
    parameters: tuple[ParameterEstimate, ...]
    residuals: tuple[Residual, ...]
    code_digest: str
    parameters_digest: str
    input_digest: str
