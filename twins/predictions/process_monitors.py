"""Monitor files of any process: train on a reference, judge other files, write what was found."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from compliance.refusals import Refused
from twins.hub import process_models
from twins.hub.life import ModelWithoutSkill
from twins.models.documents import Json
from twins.models.process_monitoring import artefacts, batches, continuous, skill
from twins.models.process_monitoring.aligning import CannotAlign, Run
from twins.models.process_monitoring.batches import Judged, Options, ReferenceMixed, Survey
from twins.models.process_monitoring.limits import TooFewToPromise
from twins.models.process_monitoring.quality import Forward
from twins.models.process_monitoring.skill import Figure
from twins.models.process_monitoring.summing import Floats, Ints
from twins.predictions import batch_files, process_charts, process_files
from twins.predictions.batch_files import OverInput
from twins.predictions.process_files import Sheet

_REASONS = 3


class ReferenceUnusable(Refused):
    """A reference is too small, of several kinds, or cannot be aligned."""

    code = "process-reference-unusable"
    status = 422


class OtherKind(Refused):
    """A kept twin does something else than what is asked of it."""

    code = "process-twin-other-kind"
    status = 422


@dataclass(frozen=True)
class Layout:
    """Which columns mean what; without `batch` the process is a continuous one."""

    batch: str | None
    phase: str | None = None
    time: str | None = None
    quality: str | None = None
    without: tuple[str, ...] = ()

    @property
    def told(self) -> tuple[str, ...]:
        """Return the columns that are no signals."""
        return (*self.placing, *((self.quality,) if self.quality else ()), *self.without)

    @property
    def placing(self) -> tuple[str, ...]:
        """Return the columns that every file must have beside its signals."""
        return tuple(one for one in (self.batch, self.phase, self.time) if one is not None)


@dataclass(frozen=True)
class Trained:
    """A monitor with its layout and dossier, and the survey of its own reference."""

    model: batches.Monitor | continuous.Monitor
    layout: Layout
    step: float
    dossier: dict[str, Json]
    survey: Survey | None = None


def train(reference: Path, layout: Layout, *, rate: float, label: str = "") -> Trained:
    """Train a monitor on a file of the normal process; raise `ReferenceUnusable`."""
    sheet = process_files.read(reference)
    signals = process_files.signals(sheet, without=layout.told)
    rows = _rows(sheet, layout)
    step = _step(sheet, layout, rows)
    survey = None
    model: batches.Monitor | continuous.Monitor
    # What answers is what an artefact would hold, to the digit.
    try:
        if layout.batch is not None:
            options = Options(false_alarm_rate=rate)
            survey = batches.survey(signals, _runs(sheet, layout, signals, rows), options)
            model = artefacts.rounded(survey.monitor)
        else:
            values = process_files.matrix(sheet, signals)
            model = artefacts.rounded(continuous.train(signals, values, false_alarm_rate=rate))
    except (CannotAlign, ReferenceMixed, TooFewToPromise) as error:
        raise ReferenceUnusable(f"{reference.name}: {error}") from error
    dossier = _dossier(reference, layout, rate=rate, step=step, label=label, survey=survey)
    dossier["valid_range"] = _range(model)
    if survey is not None and survey.foreseen is not None:
        dossier["measured"] = (
            f"{layout.quality}: skill {_gained(survey.foreseen, layout)}, left out"
        )
    return Trained(model, layout, step, dossier, survey)


def _gained(foreseen: Forward, layout: Layout) -> Figure:
    """Return the skill of the trajectories for a quality; raise `ModelWithoutSkill`."""
    found = skill.of(foreseen, is_event=False)
    if not found.has_skill:
        raise ModelWithoutSkill(
            f"{layout.quality}: left out, the skill of the trajectories over '{found.against}' is "
            f"{found.skill}; monitor without --quality"
        )
    return found.skill


def opened(label: str) -> Trained:
    """Return a kept monitor; raise `OtherKind` when it is none."""
    found = process_models.open_(label)
    if not isinstance(found.model, (batches.Monitor, continuous.Monitor)):
        raise OtherKind(f"{label} foresees a quality; use it with `manage.py twins regress`")
    columns = found.dossier["columns"]
    layout = Layout(columns["batch"], columns["phase"], columns["time"])
    return Trained(found.model, layout, float(columns["step"]), found.dossier)


def keep(trained: Trained, label: str) -> Path:
    """Keep a monitor under its label; never over another."""
    return process_models.keep(label, artefacts.to_text(trained.model, trained.dossier))


def _rows(sheet: Sheet, layout: Layout) -> dict[str, Ints]:
    if layout.batch is None:
        return {"": np.arange(sheet.count, dtype=np.int64)}
    return process_files.rows_by(sheet, layout.batch)


def _step(sheet: Sheet, layout: Layout, rows: dict[str, Ints]) -> float:
    if layout.time is None:
        return 0.0
    return process_files.step_of(process_files.numbers(sheet, layout.time)[0], list(rows.values()))


def _runs(sheet: Sheet, layout: Layout, signals: Sequence[str], rows: dict[str, Ints]) -> list[Run]:
    values = process_files.matrix(sheet, signals)
    phase = process_files.numbers(sheet, layout.phase)[0] if layout.phase else None
    quality = process_files.numbers(sheet, layout.quality)[0] if layout.quality else None
    return [
        Run(
            name,
            values[at],
            None if phase is None else phase[at],
            None if quality is None else _quality_of(name, quality[at]),
        )
        for name, at in rows.items()
    ]


def _quality_of(name: str, values: Floats) -> float:
    """Return the one value that the rows of a batch give for its quality."""
    told = np.unique(values[np.isfinite(values)])
    if len(told) != 1:
        raise ReferenceUnusable(f"batch {name} has {len(told)} values of its quality, not one")
    return float(told[0])


def _dossier(
    reference: Path,
    layout: Layout,
    *,
    rate: float,
    step: float,
    label: str,
    survey: Survey | None,
) -> dict[str, Json]:
    return {
        "label": label,
        "intended_use": "compare batches or samples of this process with normal ones; advice only",
        "data": {"reference": hashlib.sha256(reference.read_bytes()).hexdigest()},
        "columns": {
            "batch": layout.batch,
            "phase": layout.phase,
            "time": layout.time,
            "step": repr(step),
        },
        "batches": {
            "normal": sum(one.name not in survey.dropped for one in survey.judged) if survey else 0,
            "dropped": ", ".join(survey.dropped) if survey else "",
        },
        "options": {"false_alarm_rate": repr(rate)},
        "code_digest": artefacts.code_digest(),
        "provenance": "numbers fitted to the reference; no row of it is in this file",
    }


def _range(model: batches.Monitor | continuous.Monitor) -> str:
    if isinstance(model, continuous.Monitor):
        return f"{len(model.signals)} signals in the unit and at the rate of the reference"
    one = model.alignment
    return (
        f"finished batches of {one.least_samples} to {one.most_samples} samples, "
        f"{len(one.signals)} signals in the unit of the reference"
    )


def monitor(
    trained: Trained,
    data: Path | None,
    out: Path,
    *,
    parts: Path | None = None,
    drawn: Path | None = None,
) -> list[str]:
    """Judge a file, or without one the reference itself, and write the answers; return a summary.

    Each batch of the reference is judged by a model that had not seen it.
    """
    for one in (out, parts):
        if one is not None and data is not None and one.resolve() == data.resolve():
            raise OverInput(f"{one} is the data itself; name another file for the answers")
    if isinstance(trained.model, continuous.Monitor):
        if data is None:
            raise ReferenceUnusable("a continuous process needs --data beside its reference")
        return _watch(trained, trained.model, data, out)
    if data is not None:
        judged, lengths = _judge(trained, trained.model, data)
    elif trained.survey is not None:
        judged, lengths = list(trained.survey.judged), {}
    else:
        raise ReferenceUnusable("a kept twin needs --data")
    batch_files.write(out, _table(judged, trained.model, lengths))
    if parts is not None:
        batch_files.write(parts, _parts_table(judged, trained.model))
    lines = _summary(judged, trained)
    if drawn is not None:
        lines.append(f"{process_charts.write(judged, trained.model, drawn)} charts in {drawn}")
    return lines


def _judge(
    trained: Trained, model: batches.Monitor, data: Path
) -> tuple[list[Judged], dict[str, int]]:
    sheet = process_files.read(data)
    signals = model.alignment.signals
    sheet.demand(trained.layout.placing)
    rows = _rows(sheet, trained.layout)
    values = process_files.matrix(sheet, signals)
    process_files.check_units(signals, values, model.low, model.high)
    process_files.check_step(_step(sheet, trained.layout, rows), trained.step)
    # Nobody knows the quality of a batch that is to be judged.
    runs = _runs(sheet, replace(trained.layout, quality=None), signals, rows)
    return [batches.judge(one, model) for one in runs], {n: len(at) for n, at in rows.items()}


def _table(judged: list[Judged], model: batches.Monitor, lengths: dict[str, int]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "batch": [one.name for one in judged],
        "verdict": [one.verdict for one in judged],
        "alarm": np.array([one.verdict == "odd" for one in judged], dtype=np.int8),
        "score": np.array([one.score for one in judged]),
        "T2": np.array([one.t2 for one in judged]),
        "T2_limit": np.full(len(judged), model.limits.values[0]),
        "SPE": np.array([one.spe for one in judged]),
        "SPE_limit": np.full(len(judged), model.limits.values[1]),
        "outside": [one.outside for one in judged],
    }
    if model.fitted.foresees:
        said = np.array([one.quality for one in judged])
        found["quality"] = said
        found["quality_low"] = said - model.quality_width
        found["quality_high"] = said + model.quality_width
    if lengths:
        found["samples"] = np.array([lengths[one.name] for one in judged], dtype=np.int64)
    for rank in range(_REASONS):
        found[f"reason_{rank + 1}"] = [
            str(one.reasons[rank]) if rank < len(one.reasons) else "" for one in judged
        ]
    return found


def _parts_table(judged: list[Judged], model: batches.Monitor) -> dict[str, Any]:
    """Return the part of each signal at each point: over a batch they add up to T2 and SPE."""
    told = [one for one in judged if one.parts is not None]
    columns, points = model.alignment.columns, model.alignment.points
    each = points * len(columns)
    percent = 100.0 * (np.arange(points) + 0.5) / points
    return {
        "batch": [one.name for one in told for _ in range(each)],
        "percent": np.tile(np.repeat(percent, len(columns)), len(told)),
        "signal": list(columns) * points * len(told),
        "T2_part": np.concatenate(
            [np.zeros(0), *(one.parts[0].ravel() for one in told if one.parts)]
        ),
        "SPE_part": np.concatenate(
            [np.zeros(0), *(one.parts[1].ravel() for one in told if one.parts)]
        ),
    }


def _summary(judged: list[Judged], trained: Trained) -> list[str]:
    counts = {
        verdict: sum(one.verdict == verdict for one in judged)
        for verdict in ("normal", "undecided", "odd", "out-of-domain")
    }
    lines = [
        f"{len(judged)} batches: " + ", ".join(f"{count} {name}" for name, count in counts.items()),
        f"limits: {trained.model.limits.false_alarm_rate:g} of further normal batches are taken for odd",
    ]
    dropped = trained.survey.dropped if trained.survey else ()
    if dropped:
        lines.append(f"not in the reference, as unlike all others: {', '.join(dropped)}")
    ranked = sorted(judged, key=lambda one: (-np.nan_to_num(one.score), one.name))
    for one in ranked:
        if one.outside:
            lines.append(f"batch {one.name}: out of domain, {one.outside}")
        elif one.verdict == "odd":
            lines.append(f"batch {one.name}: {one.score:.2f} of the limit")
            lines += [f"  {reason}" for reason in one.reasons[:_REASONS]]
    return lines


def _watch(trained: Trained, model: continuous.Monitor, data: Path, out: Path) -> list[str]:
    sheet = process_files.read(data)
    values = process_files.matrix(sheet, model.signals)
    process_files.check_units(model.signals, values, model.low, model.high)
    rows = _rows(sheet, trained.layout)
    process_files.check_step(_step(sheet, trained.layout, rows), trained.step)
    said = continuous.watch(values, model)
    columns: dict[str, Any] = {"row": np.arange(1, sheet.count + 1)}
    if trained.layout.time is not None:
        columns["time"] = process_files.numbers(sheet, trained.layout.time)[0]
    columns |= {
        "verdict": continuous.verdicts(said),
        "alarm": said.alarm.astype(np.int8),
        "score": said.score,
    }
    columns |= _contributors(said, model)
    batch_files.write(out, columns)
    lines = [
        f"{sheet.count} samples, {int(said.alarm.sum())} alarmed; "
        f"{model.limits.false_alarm_rate:g} of normal samples are"
    ]
    for first, last in continuous.episodes(said.alarm):
        most = float(said.score[first : last + 1].max())
        lines.append(f"rows {first + 1} to {last + 1}: at most {most:.2f} of the limit")
        lines += [f"  {one}" for one in continuous.reasons_of(said, model, first, last)]
    return lines


def _contributors(said: continuous.Watched, model: continuous.Monitor) -> dict[str, Any]:
    """Return the worst statistic with its strongest signals; with the rest they add up to it."""
    found = continuous.statistics(said.parts)
    worst = np.argmax(found / model.limits.values, axis=1)
    every = np.arange(len(found))
    stacked = np.stack([said.parts[name] for name in continuous.STATISTICS])
    own: Floats = stacked[worst, every]
    order = np.argsort(-own, axis=1, kind="stable")
    columns: dict[str, Any] = {
        "statistic": [continuous.STATISTICS[place] for place in worst.tolist()],
        "value": found[every, worst],
        "limit": model.limits.values[worst],
    }
    named = np.zeros(len(found))
    for rank in range(min(_REASONS, own.shape[1])):
        columns[f"contributor_{rank + 1}"] = [model.signals[at] for at in order[:, rank].tolist()]
        columns[f"contribution_{rank + 1}"] = own[every, order[:, rank]]
        named = named + own[every, order[:, rank]]
    columns["contribution_rest"] = found[every, worst] - named
    return columns
