"""A kept prediction of a quality: what it answers for rows that nobody has judged yet."""

from dataclasses import dataclass

import numpy as np

from twins.models.process_monitoring import encoding, history, quality
from twins.models.process_monitoring.encoding import Columns
from twins.models.process_monitoring.quality import Forward, Regression, Task
from twins.models.process_monitoring.summing import Floats

_UNHEARD = "no earlier result is known: put the batches before it into the file"


@dataclass(frozen=True)
class Foreseer:
    """A regression with what it needs to be used: its columns, its task, its usual error.

    `span` is from the 5 to the 95 % quantile of the results so far: an interval as wide says nothing.
    """

    regression: Regression
    numbers: tuple[str, ...]
    texts: tuple[str, ...]
    target: str
    group: str
    is_event: bool
    above: float
    below: float
    known_after: int
    with_history: bool
    width: float
    span: float


@dataclass(frozen=True)
class Foreseen:
    """What is said of each row; `parts` are of the encoded columns and add up with the constant."""

    said: Floats
    low: Floats
    high: Floats
    verdict: list[str]
    outside: list[str]
    parts: Floats


def regression_of(task: Task) -> Regression:
    """Return the regression of all rows with a result."""
    known = np.flatnonzero(np.isfinite(task.target))
    return quality.fit(quality.inputs_of(task).taken(known), task.target[known])


def spread_of(found: Forward) -> tuple[float, float]:
    """Return the half-width of the intervals to come, and the span of results."""
    scores = np.abs(found.actual - found.said)[-quality.NEWEST_SCORES :]
    low, high = np.quantile(found.actual, [0.05, 0.95])
    return quality.width(scores), float(high - low)


def foresee(
    columns: Columns, target: Floats, group: tuple[str, ...] | None, kept: Foreseer
) -> Foreseen:
    """Answer every row from its columns and the results of earlier rows, where they are known."""
    task = Task(
        columns,
        target,
        kept.is_event,
        group=group,
        known_after=kept.known_after,
        with_history=kept.with_history,
    )
    inputs = quality.inputs_of(task)
    parts = quality.parts(inputs, kept.regression)
    said = quality.foreseen(inputs, kept.regression)
    outside = encoding.outside(inputs, kept.regression.encoder)
    if kept.with_history:
        unheard = np.isnan(inputs.numbers[history.LAST])
        outside = [_UNHEARD if one else why for one, why in zip(unheard, outside, strict=True)]
    if kept.is_event:
        said = np.clip(said, 0.0, 1.0)
        low = high = np.full(len(said), np.nan)
        vague = False
    else:
        low, high = said - kept.width, said + kept.width
        vague = 2.0 * kept.width >= kept.span
    verdict = [
        "out-of-domain" if reason else ("undecided" if vague else "foreseen") for reason in outside
    ]
    return Foreseen(said, low, high, verdict, outside, parts)
