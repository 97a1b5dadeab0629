"""Foresee a quality from files of any process: judge in the order of time, refuse without skill."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from compliance.refusals import Refused
from twins.hub import process_models
from twins.hub.life import ModelWithoutSkill
from twins.models.documents import Json
from twins.models.process_monitoring import artefacts, foreseeing, quality, skill
from twins.models.process_monitoring.encoding import Columns
from twins.models.process_monitoring.foreseeing import Foreseer
from twins.models.process_monitoring.quality import Forward, Task
from twins.models.process_monitoring.skill import Skill
from twins.models.process_monitoring.summing import Floats, Ints
from twins.predictions import batch_files, process_files
from twins.predictions.process_files import Sheet
from twins.predictions.process_monitors import OtherKind

_LEAST_RESULTS, _LEAST_EVENTS = 100, 20
_FIRST_SHARE, _ROUNDS = 0.3, 25
_SAME = 0.9999
_FOLDS, _SEED = 5, 1
_CONTRIBUTORS = 3


class TooFewResults(Refused):
    """There are too few results to learn from and to judge by."""

    code = "process-results-too-few"
    status = 422


class TargetAmongInputs(Refused):
    """An input is the target under another name."""

    code = "process-target-among-inputs"
    status = 422


@dataclass(frozen=True)
class Question:
    """What is to be foreseen, and from what.

    With `below` or `above` it is the event that the target lies there.
    """

    target: str
    group: str | None = None
    order: str | None = None
    without: tuple[str, ...] = ()
    below: float = -np.inf
    above: float = np.inf
    known_after: int = 1

    @property
    def is_event(self) -> bool:
        """Tell whether an event is asked for."""
        return bool(np.isfinite(self.below) or np.isfinite(self.above))

    @property
    def told(self) -> tuple[str, ...]:
        """Return the columns that are no inputs."""
        own = (one for one in (self.target, self.group, self.order) if one is not None)
        return (*own, *self.without)


@dataclass(frozen=True)
class Answered:
    """The task with what a model that knew the past only foresaw, and how well.

    `others` shows what is often told instead: random folds, and the columns without earlier results.
    """

    task: Task
    found: Forward
    skill: Skill
    others: dict[str, Skill]
    notes: list[str]
    rows: Ints


def ask(sheet: Sheet, question: Question) -> Answered:
    """Judge the model on the future of its past; raise `TooFewResults` or `TargetAmongInputs`."""
    rows = process_files.order_by(sheet, question.order)
    columns, notes = process_files.inputs(sheet, without=question.told)
    target = _target(process_files.numbers(sheet, question.target)[0][rows], question)
    group = _group(sheet, question.group, rows)
    task = Task(columns.taken(rows), target, question.is_event, group, question.known_after)
    _demand(task, question)
    first = int(len(target) * _FIRST_SHARE)
    step = max(1, (len(target) - first) // _ROUNDS)
    plain = replace(task, with_history=False)
    found = quality.forward(task, first=first, step=step)
    judged = {
        "random folds, columns alone": quality.shuffled(plain, folds=_FOLDS, seed=_SEED),
        "in time, columns alone": quality.forward(plain, first=first, step=step),
        "in time, with earlier results": found,
    }
    skills = {name: skill.of(one, is_event=task.is_event) for name, one in judged.items()}
    return Answered(task, found, skills["in time, with earlier results"], skills, notes, rows)


def _target(values: Floats, question: Question) -> Floats:
    if not question.is_event:
        return values
    event = ((values < question.below) | (values > question.above)).astype(np.float64)
    return np.where(np.isnan(values), np.nan, event)


def _group(sheet: Sheet, name: str | None, rows: Ints) -> tuple[str, ...] | None:
    if name is None:
        return None
    cells = sheet.column(name)
    return tuple(process_files.text_of(cells[row]) for row in rows.tolist())


def _demand(task: Task, question: Question) -> None:
    known = np.isfinite(task.target)
    if known.sum() < _LEAST_RESULTS:
        raise TooFewResults(
            f"{question.target} is known in {int(known.sum())} rows; {_LEAST_RESULTS} are needed"
        )
    if task.is_event:
        events = int(task.target[known].sum())
        if not _LEAST_EVENTS <= events <= known.sum() - _LEAST_EVENTS:
            raise TooFewResults(
                f"{events} of {int(known.sum())} rows are such events; {_LEAST_EVENTS} with and "
                f"{_LEAST_EVENTS} without are needed"
            )
    elif float(task.target[known].std()) == 0.0:
        raise TooFewResults(f"{question.target} never changes")
    for name, values in task.columns.numbers.items():
        if _alike(values, task.target) > _SAME:
            raise TargetAmongInputs(
                f"{name} is {question.target} under another name; leave it out with --without"
            )


def _alike(values: Floats, target: Floats) -> float:
    both = np.isfinite(values) & np.isfinite(target)
    if both.sum() < 10 or values[both].std() == 0.0 or target[both].std() == 0.0:
        return 0.0
    return abs(float(np.corrcoef(values[both], target[both])[0, 1]))


def table(answered: Answered, question: Question) -> list[str]:
    """Return what was found, as lines for a person."""
    what = question.target
    if question.is_event:
        bounds = [f"below {question.below:g}"] if np.isfinite(question.below) else []
        bounds += [f"above {question.above:g}"] if np.isfinite(question.above) else []
        what = f"{what} {' or '.join(bounds)}"
        what = f"{what} ({int(np.nansum(answered.task.target))} events)"
    rows, first = answered.found.rows, answered.found.rows[0] + 1
    lines = [
        f"{what}: {len(answered.task.target)} rows in the order of time, {len(rows)} judged from row "
        f"{first} on, a result is known {question.known_after} rows later"
    ]
    for name, one in answered.others.items():
        ranked = f"  AUROC {one.auroc}" if one.auroc is not None else ""
        lines.append(
            f"  {name:30} R2 {one.r2:6.3f}  skill over '{one.against}' {one.skill}{ranked}"
        )
    best = answered.skill
    own = ", ".join(f"{name} {value:.3f}" for name, value in best.trivial_r2.items())
    lines.append(f"  trivial predictors on the same rows, R2: {own}")
    if best.trivial_auroc is not None:
        lines.append(f"  AUROC of '{best.against}': {best.trivial_auroc:.3f}")
    else:
        lines.append(
            f"  {100.0 * quality.COVERAGE:g} % intervals hold {best.coverage:.3f} of the results, "
            f"mean width {best.width:.4g}"
        )
    return lines + [f"  note: {one}" for one in answered.notes]


def demand_skill(answered: Answered, question: Question) -> None:
    """Raise `ModelWithoutSkill` when the interval of the skill in time reaches zero."""
    if not answered.skill.has_skill:
        raise ModelWithoutSkill(
            f"{question.target}: in the order of time the skill over '{answered.skill.against}' is "
            f"{answered.skill.skill}; the columns say no more than that, so nothing is foreseen"
        )


def foreseer_of(answered: Answered, question: Question) -> Foreseer:
    """Return what is kept, fitted to all rows; raise `ModelWithoutSkill`."""
    demand_skill(answered, question)
    width, span = foreseeing.spread_of(answered.found)
    task = answered.task
    return artefacts.rounded(
        Foreseer(
            regression=foreseeing.regression_of(task),
            numbers=tuple(task.columns.numbers),
            texts=tuple(task.columns.texts),
            target=question.target,
            group=question.group or "",
            is_event=question.is_event,
            above=question.above,
            below=question.below,
            known_after=question.known_after,
            with_history=task.with_history,
            width=width,
            span=span,
        )
    )


def keep(foreseer: Foreseer, answered: Answered, *, data: Path, label: str) -> Path:
    """Keep a prediction under its label with what was measured of it; never over another."""
    dossier: dict[str, Json] = {
        "label": label,
        "intended_use": f"foresee {foreseer.target} from columns of the process; advice only",
        "valid_range": "values within one range of those of the training, groups that were in it",
        "data": {"data": hashlib.sha256(data.read_bytes()).hexdigest()},
        "measured": {name: f"skill {one.skill}" for name, one in answered.others.items()},
        "code_digest": artefacts.code_digest(),
        "provenance": "numbers fitted to the data; no row of it is in this file",
    }
    return process_models.keep(label, artefacts.to_text(foreseer, dossier))


def opened(label: str) -> Foreseer:
    """Return a kept prediction; raise `OtherKind` when it is none."""
    found = process_models.open_(label)
    if not isinstance(found.model, Foreseer):
        raise OtherKind(f"{label} monitors a process; use it with `manage.py twins monitor`")
    return found.model


def write_judged(answered: Answered, out: Path) -> None:
    """Write what was foreseen of each judged row, in the order of time."""
    found = answered.found
    batch_files.write(
        out,
        {
            "row": answered.rows[found.rows] + 1,
            "actual": found.actual,
            "foreseen": found.said,
            "low": found.low,
            "high": found.high,
        }
        | {f"trivial: {name}": one for name, one in found.trivial.items()},
    )


def foresee(sheet: Sheet, kept: Foreseer, order: str | None, out: Path) -> list[str]:
    """Answer the rows that have no result yet, from theirs and the earlier ones; return a summary."""
    rows = process_files.order_by(sheet, order)
    given, notes = process_files.named_inputs(sheet, kept.numbers, kept.texts)
    columns: Columns = given.taken(rows)
    target = np.full(sheet.count, np.nan)
    if kept.target in sheet.cells:
        question = Question(kept.target, below=kept.below, above=kept.above)
        target = _target(process_files.numbers(sheet, kept.target)[0][rows], question)
    said = foreseeing.foresee(columns, target, _group(sheet, kept.group or None, rows), kept)
    asked = np.flatnonzero(np.isnan(target))
    verdicts = [said.verdict[at] for at in asked.tolist()]
    found: dict[str, Any] = {
        "row": rows[asked] + 1,
        "foreseen": said.said[asked],
        "low": said.low[asked],
        "high": said.high[asked],
        "verdict": verdicts,
        "outside": [said.outside[at] for at in asked.tolist()],
    }
    batch_files.write(out, found | _contributors(said.parts[asked], kept))
    counts = {one: verdicts.count(one) for one in ("foreseen", "undecided", "out-of-domain")}
    told = ", ".join(f"{count} {one}" for one, count in counts.items())
    summary = f"{len(asked)} of {sheet.count} rows have no result: {told}"
    return [summary, *(f"  note: {one}" for one in notes)]


def _contributors(parts: Floats, kept: Foreseer) -> dict[str, Any]:
    """Return the columns that move the prediction most; with constant and rest they add up to it."""
    names = tuple(dict.fromkeys(kept.regression.encoder.names))
    own = np.zeros((len(parts), len(names)))
    for place, name in enumerate(kept.regression.encoder.names):
        own[:, names.index(name)] += parts[:, place]
    order = np.argsort(-np.abs(own), axis=1, kind="stable")
    every = np.arange(len(own))
    columns: dict[str, Any] = {"constant": np.full(len(own), kept.regression.constant)}
    named = np.zeros(len(own))
    for rank in range(min(_CONTRIBUTORS, len(names))):
        columns[f"contributor_{rank + 1}"] = [names[at] for at in order[:, rank].tolist()]
        columns[f"contribution_{rank + 1}"] = own[every, order[:, rank]]
        named = named + own[every, order[:, rank]]
    columns["contribution_rest"] = own.sum(axis=1) - named
    return columns
