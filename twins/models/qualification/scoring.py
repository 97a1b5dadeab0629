"""Score what a model answered for the batches of a test set against their labels."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from twins.models.qualification import proportions
from twins.models.qualification.proportions import Interval

EVERYBODY = "all"
SKILL_AT = 0.05  # how unlikely the hits have to be by chance before a model counts as skilled
_BINS = 10


class AnswersIncomplete(ValueError):
    """Labels and answers are not of the same batches."""

    code = "answers-incomplete"


@dataclass(frozen=True)
class Label:
    """What really happened in a batch: `onset_h` is None in a normal one.

    `harm_h` is when the product was off, if it was; `values` are the values that were measured.
    """

    subgroup: str
    onset_h: float | None
    harm_h: float | None = None
    values: tuple[float, ...] = ()


@dataclass(frozen=True)
class Answer:
    """What the model said of a batch: the hour of its first alarm, None when it was silent.

    `probability` is its last word on a deviation in this batch; `intervals` are for the label's
    values, in their order. An undecided model has not warned, whatever else it said.
    """

    first_alarm_h: float | None
    probability: float | None = None
    intervals: tuple[tuple[float, float], ...] = ()
    is_undecided: bool = False


@dataclass(frozen=True)
class Confusion:
    """Batches by what happened and what was said.

    A batch with an event is a hit when the first alarm came at its onset or later: an earlier one
    was false, and the event was missed behind it.
    """

    hits: int
    misses: int
    false_alarms: int
    silences: int
    early_alarms: int


@dataclass(frozen=True)
class Metric:
    """One figure with its exact interval, where it has one; `of` counts what it is taken over."""

    value: float | None
    interval: Interval | None
    of: int


@dataclass(frozen=True)
class Score:
    """All figures of one population."""

    population: str
    batches: int
    confusion: Confusion
    metrics: Mapping[str, Metric]
    chance: float  # of so many hits or more, were the alarms independent of the events

    @property
    def has_skill(self) -> bool:
        """Tell whether the alarms say more than a guess with the same number of alarms."""
        skill = self.metrics["skill"].value
        return skill is not None and skill > 0.0 and self.chance <= SKILL_AT


METRICS = (
    "sensitivity", "specificity", "accuracy", "precision", "f1", "false_alarm_share",
    "early_alarm_share", "undecided_share", "lead_time_h", "ece", "interval_coverage", "skill",
    "probability_skill",
)  # fmt: skip


def score(labels: Mapping[str, Label], answers: Mapping[str, Answer]) -> dict[str, Score]:
    """Return the score of everybody and of each subgroup; raise `AnswersIncomplete`."""
    if labels.keys() != answers.keys():
        raise AnswersIncomplete(
            f"{len(labels.keys() - answers.keys())} batches have no answer, and "
            f"{len(answers.keys() - labels.keys())} answers are of no batch of the test set"
        )
    pairs = [(labels[batch], answers[batch]) for batch in sorted(labels)]
    for label, answer in pairs:
        if answer.intervals and len(answer.intervals) != len(label.values):
            raise AnswersIncomplete("an answer has intervals for other values than its label has")
    found = {EVERYBODY: _score(EVERYBODY, pairs)}
    for name in sorted({label.subgroup for label, _ in pairs}):
        found[name] = _score(name, [pair for pair in pairs if pair[0].subgroup == name])
    return found


def _score(population: str, pairs: Sequence[tuple[Label, Answer]]) -> Score:
    counted = _confusion(pairs)
    hits, misses = counted.hits, counted.misses
    false_alarms, silences = counted.false_alarms, counted.silences
    events, normals = hits + misses, false_alarms + silences
    wrong_or_hit = hits + misses + false_alarms
    metrics = {
        "sensitivity": _share(hits, events),
        "specificity": _share(silences, normals),
        "accuracy": _share(hits + silences, events + normals),
        "precision": _share(hits, hits + false_alarms + counted.early_alarms),
        "f1": _f1(hits, wrong_or_hit),
        "false_alarm_share": _share(false_alarms, normals),
        "early_alarm_share": _share(counted.early_alarms, events),
        "undecided_share": _share(sum(answer.is_undecided for _, answer in pairs), len(pairs)),
        "lead_time_h": _lead_time(pairs),
        "ece": _calibration_error(pairs),
        "interval_coverage": _coverage(pairs),
        "skill": _skill(hits, events, false_alarms, normals),
        "probability_skill": _probability_skill(pairs),
    }
    chance = proportions.fisher(hits, misses, false_alarms, silences)
    return Score(population, len(pairs), counted, metrics, chance)


def _confusion(pairs: Iterable[tuple[Label, Answer]]) -> Confusion:
    hits = misses = false_alarms = silences = early = 0
    for label, answer in pairs:
        alarm_h = None if answer.is_undecided else answer.first_alarm_h
        if label.onset_h is None:
            false_alarms += alarm_h is not None
            silences += alarm_h is None
        elif alarm_h is not None and alarm_h >= label.onset_h:
            hits += 1
        else:
            misses += 1
            early += alarm_h is not None
    return Confusion(hits, misses, false_alarms, silences, early)


def _share(count: int, of: int) -> Metric:
    if not of:
        return Metric(None, None, 0)
    return Metric(count / of, proportions.clopper_pearson(count, of), of)


def _f1(hits: int, of: int) -> Metric:
    """Return 2h / (2h + wrong): it rises with h / (h + wrong), whose interval is exact."""
    if not of:
        return Metric(None, None, 0)
    found = proportions.clopper_pearson(hits, of)
    low, share, high = (2.0 * one / (1.0 + one) for one in (found.low, hits / of, found.high))
    return Metric(share, Interval(low, high), of)


def _skill(hits: int, events: int, false_alarms: int, normals: int) -> Metric:
    """Return Peirce's skill score: 0 for every guess that does not look, 1 for a perfect model."""
    if not events or not normals:
        return Metric(None, None, events + normals)
    return Metric(hits / events - false_alarms / normals, None, events + normals)


def _lead_time(pairs: Iterable[tuple[Label, Answer]]) -> Metric:
    """Return the median hours from the first alarm to the harm, of the hits that were harmed."""
    found = sorted(
        label.harm_h - answer.first_alarm_h
        for label, answer in pairs
        if label.harm_h is not None and label.onset_h is not None and not answer.is_undecided
        and answer.first_alarm_h is not None and answer.first_alarm_h >= label.onset_h
    )  # fmt: skip
    if not found:
        return Metric(None, None, 0)
    middle = len(found) // 2
    median = found[middle] if len(found) % 2 else (found[middle - 1] + found[middle]) / 2.0
    return Metric(median, None, len(found))


def _calibration_error(pairs: Iterable[tuple[Label, Answer]]) -> Metric:
    """Return the expected calibration error over ten bins of the probability."""
    bins: list[list[tuple[float, bool]]] = [[] for _ in range(_BINS)]
    for probability, is_event in _probabilities(pairs):
        bins[min(int(probability * _BINS), _BINS - 1)].append((probability, is_event))
    of = sum(len(one) for one in bins)
    if not of:
        return Metric(None, None, 0)
    error = math.fsum(
        abs(math.fsum(probability for probability, _ in one) - sum(event for _, event in one))
        for one in bins
    )
    return Metric(error / of, None, of)


def _probability_skill(pairs: Iterable[tuple[Label, Answer]]) -> Metric:
    """Return 1 - Brier / Brier of always saying the share of events (Brier, 1950)."""
    found = _probabilities(pairs)
    share = sum(event for _, event in found) / len(found) if found else 0.0
    if share in (0.0, 1.0):
        return Metric(None, None, len(found))
    model = math.fsum((probability - event) ** 2 for probability, event in found)
    naive = math.fsum((share - event) ** 2 for _, event in found)
    return Metric(1.0 - model / naive, None, len(found))


def _probabilities(pairs: Iterable[tuple[Label, Answer]]) -> list[tuple[float, bool]]:
    return [
        (answer.probability, label.onset_h is not None)
        for label, answer in pairs
        if answer.probability is not None and not answer.is_undecided
    ]


def _coverage(pairs: Iterable[tuple[Label, Answer]]) -> Metric:
    """Return how many of the measured values lie in the intervals that were foretold."""
    found = [
        low <= value <= high
        for label, answer in pairs
        if answer.intervals
        for value, (low, high) in zip(label.values, answer.intervals, strict=True)
    ]
    return _share(sum(found), len(found))
