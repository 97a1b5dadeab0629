"""Compare scores with acceptance criteria that were set before."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from twins.models.qualification import scoring
from twins.models.qualification.scoring import Score


class Comparison(StrEnum):
    AT_LEAST = "at-least"
    AT_MOST = "at-most"
    ABOVE = "above"
    BELOW = "below"


@dataclass(frozen=True)
class Criterion:
    """What one figure of one population has to be."""

    metric: str
    comparison: Comparison
    threshold: float
    population: str = scoring.EVERYBODY

    def __str__(self) -> str:
        comparison = self.comparison.replace("-", " ")
        return f"{self.metric} of {self.population} {comparison} {self.threshold:g}"


@dataclass(frozen=True)
class Verdict:
    """One criterion with what was found; a figure that could not be taken does not meet it."""

    criterion: Criterion
    value: float | None
    is_met: bool


def judge(criteria: tuple[Criterion, ...], scores: Mapping[str, Score]) -> tuple[Verdict, ...]:
    """Return the verdict on each criterion."""
    return tuple(_verdict(one, scores) for one in criteria)


def _verdict(criterion: Criterion, scores: Mapping[str, Score]) -> Verdict:
    score = scores.get(criterion.population)
    value = score.metrics[criterion.metric].value if score else None
    return Verdict(criterion, value, value is not None and _holds(criterion, value))


def _holds(criterion: Criterion, value: float) -> bool:
    match criterion.comparison:
        case Comparison.AT_LEAST:
            return value >= criterion.threshold
        case Comparison.AT_MOST:
            return value <= criterion.threshold
        case Comparison.ABOVE:
            return value > criterion.threshold
        case Comparison.BELOW:
            return value < criterion.threshold
