"""Replay files of batches with a trained batch twin, and train one from labelled batches."""

import hashlib
from collections.abc import Callable, Collection
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from django.db import OperationalError, ProgrammingError, connection

from compliance.refusals import Refused
from twins.hub import batch_models, versions
from twins.hub.batch_models import Opened
from twins.hub.models import VersionState
from twins.models.batch_monitoring import artefacts, evaluation, forecast, samples
from twins.models.batch_monitoring.channels import CHANNELS
from twins.models.batch_monitoring.design import INDEX
from twins.models.batch_monitoring.model import Answer, Batch, Model, Options, answer, train
from twins.models.batch_monitoring.samples import Floats, Grid
from twins.models.batch_monitoring.signals import LABORATORY_NAMES, ONLINE_NAMES, STEP_H
from twins.models.documents import Json
from twins.models.qualification import contents
from twins.predictions import batch_files, batch_rows
from twins.predictions.batch_files import Table

Say = Callable[[str], None]
CONTRIBUTORS = 3
_LABELS = ("batch", "kind", "onset_h", "end_h", "t_P_dev5_h")
_TRUTH = ("batch", "time_h", "true_P", "true_V")


class LabelsUnusable(Refused):
    """Labels do not fit the batches, or are too few to learn from."""

    code = "batch-labels-unusable"
    status = 422


def grid_of(table: Table, rows: np.ndarray) -> Grid:
    """Return one batch of a table on the grid."""
    return samples.on_grid(
        table.columns["time_h"][rows],
        {name: table.columns[name][rows] for name in ONLINE_NAMES},
        {name: table.columns[name][rows] for name in LABORATORY_NAMES},
    )


def predict(data: Path, model: str, out: Path) -> str:
    """Replay a file and write the answers, one row a sample, in the order of the file."""
    opened = batch_models.open_(model)
    if out.resolve() == data.resolve():
        raise batch_files.OverInput(f"{out} is the data itself; name another file for the answers")
    standing = standing_of(opened)
    table = batch_files.read(data)
    batch_files.check_units(table, usual_of(opened))
    columns: dict[str, Any] = {
        "batch": table.batch,
        "time_h": table.columns["time_h"],
    }
    notes = np.zeros(len(table.batch), dtype=np.int64)
    for rows in table.rows_of().values():
        grid = grid_of(table, rows)
        said = _answered(opened.model, grid)
        for name, values in said.items():
            if name not in columns:
                columns[name] = np.empty(len(table.batch), dtype=values.dtype)
            columns[name][rows] = values
        notes[rows] = grid.row_note
    columns["note"] = np.array(samples.NOTES, dtype=object)[notes]
    batch_files.write(out, columns)
    return f"{_summary(opened, table, columns, notes)}\n{standing}"


def standing_of(opened: Opened) -> str:
    """Say what the register knows of a twin; refuse a file that is not the registered one.

    A machine without the product's database can replay files too, and says that nothing was compared.
    """
    embedded = connection.settings_dict.get("EMBEDDED_VAR")
    is_here = embedded is None or (Path(embedded) / "postgres").exists()
    try:
        version = batch_models.registered(opened) if is_here else None
    except (OperationalError, ProgrammingError):
        is_here, version = False, None
    if not is_here:
        return "note: there is no register of versions here that the twin could be compared with"
    if version is not None and version.state == VersionState.RETIRED:
        raise versions.VersionRetired(f"model version {version} is retired; install its successor")
    if version is None:
        return "note: this twin is not registered; what it says is a trial"
    said = "" if versions.is_qualified(version) else "; what it says is a trial"
    return f"{version} is {version.get_state_display().lower()}{said}"


def usual_of(opened: Opened) -> dict[str, float]:
    """Return the middle of each signal over the ages that the twin was trained on."""
    profile = opened.model.detector.fitted.profile
    names = [one for one in (*ONLINE_NAMES, *LABORATORY_NAMES) if one not in ("Fc", "Fh")]
    return {one: float(np.median(profile[:1100, INDEX[one]])) for one in names}


def _answered(model: Model, grid: Grid) -> dict[str, np.ndarray]:
    """Return the columns of a batch's answer, one value a sample.

    Where no sample had a time yet the batch is not known: what came later does not answer for it.
    """
    untimed = grid.row_slot < 0
    if not untimed.any():
        return _rows_of(answer(model, grid), grid.row_slot)
    unknown = _rows_of(answer(model, _UNKNOWN), np.zeros(len(untimed), dtype=np.int64))
    if untimed.all():
        return unknown
    said = _rows_of(answer(model, grid), np.clip(grid.row_slot, 0, None))
    return {name: np.where(untimed, unknown[name], values) for name, values in said.items()}


# A batch of one step at which nothing was measured.
_UNKNOWN = samples.on_grid(
    np.array([STEP_H]),
    {name: np.array([np.nan]) for name in ONLINE_NAMES},
    {name: np.array([np.nan]) for name in LABORATORY_NAMES},
)


def _rows_of(said: Answer, at: np.ndarray) -> dict[str, np.ndarray]:
    """Return the columns of a batch's answer at these steps."""
    verdict = np.where(
        ~said.in_domain,
        "out-of-domain",
        np.where(said.alarm, "deviation", np.where(said.undecided, "undecided", "normal")),
    ).astype(object)
    found: dict[str, np.ndarray] = {
        "p": said.p[at],
        "alarm": said.alarm[at].astype(np.int8),
        "p_impact": said.p_costing[at],
        "score": said.steady[at],
        "verdict": verdict[at],
        "in_domain": said.in_domain[at].astype(np.int8),
    }
    found |= {name: values[at] for name, values in _contributors(said.share).items()}
    for name in forecast.KEYS:
        low, high = said.bounds[name]
        found[name] = said.forecasts[name][at]
        found[f"{name}_low"], found[f"{name}_high"] = low[at], high[at]
    return found


def _contributors(share: Floats) -> dict[str, np.ndarray]:
    """Return the strongest signals with their part of the score; all parts add up to it."""
    names = sorted({one.signal for one in CHANNELS})
    by_signal = np.zeros((len(share), len(names)))
    strongest = np.zeros((len(share), len(names)), dtype=np.int64)
    most = np.full((len(share), len(names)), -1.0)
    for place, one in enumerate(CHANNELS):
        at = names.index(one.signal)
        by_signal[:, at] += share[:, place]
        higher = share[:, place] > most[:, at]
        strongest[higher, at] = place
        most[higher, at] = share[higher, place]
    order = np.argsort(-by_signal, axis=1, kind="stable")
    kinds = np.array([one.kind for one in CHANNELS], dtype=object)
    every = np.arange(len(share))
    found: dict[str, np.ndarray] = {}
    for rank in range(CONTRIBUTORS):
        ranked = order[:, rank]
        found[f"contributor_{rank + 1}"] = np.array(names, dtype=object)[ranked]
        found[f"contributor_{rank + 1}_check"] = kinds[strongest[every, ranked]]
        found[f"contribution_{rank + 1}"] = by_signal[every, ranked]
    named = sum(found[f"contribution_{rank + 1}"] for rank in range(CONTRIBUTORS))
    found["contribution_rest"] = by_signal.sum(axis=1) - named
    return found


def _summary(opened: Opened, table: Table, columns: dict[str, Any], notes: np.ndarray) -> str:
    rows = table.rows_of()
    alarmed = sum(bool(columns["alarm"][at].any()) for at in rows.values())
    lines = [
        f"{opened.label}: {len(table.batch)} samples of {len(rows)} batches, {alarmed} alarmed"
    ]
    for code, text in enumerate(samples.NOTES):
        if text and (count := int((notes == code).sum())):
            lines.append(f"{count} samples {text}: answered with the state so far, not used")
    if not opened.code_is_that_of_training:
        lines.append("note: the code has changed since this twin was trained (see its dossier)")
    return "\n".join(lines)


def labelled(data: Path, labels: Path, truth: Path | None) -> list[Batch]:
    """Return the batches of a file with their labels; batches without a label are left out."""
    table = batch_files.read(data)
    meaning = _labels(labels)
    hidden = _hidden(truth) if truth else {}
    found: list[Batch] = []
    for name, rows in sorted(table.rows_of().items(), key=lambda one: str(one[0]).zfill(12)):
        if name not in meaning:
            continue
        kind, onset_h, end_h, hit_h = meaning[name]
        grid = grid_of(table, rows)
        targets = forecast.laboratory_targets(grid)
        if name in hidden and len(hidden[name][0]) == len(grid.time_h):
            removed = grid.values[:, ONLINE_NAMES.index("Fremoved")]
            targets = forecast.hidden_targets(*hidden[name], np.nan_to_num(removed))
        found.append(Batch(len(found), grid, kind, onset_h, end_h, hit_h, targets))
    normal = sum(one.is_normal for one in found)
    if normal < 30 or len(found) - normal < 5:
        raise LabelsUnusable(
            f"{normal} normal and {len(found) - normal} deviating batches are too few to learn "
            f"from; needed are 30 and 5"
        )
    return found


def _labels(path: Path) -> dict[Any, tuple[str | None, float | None, float | None, float | None]]:
    table = batch_files.read_mixed(path, _LABELS)
    found: dict[Any, tuple[str | None, float | None, float | None, float | None]] = {}
    for name, kind, *times in zip(*(table[one] for one in _LABELS), strict=True):
        if kind is None or kind == "":
            continue
        if kind == "none":
            found[name] = (None, None, None, None)
            continue
        onset_h, end_h, hit_h = (batch_files.number(one) for one in times)
        if onset_h is None or end_h is None:
            raise LabelsUnusable(f"batch {name} deviates, but its label says not from when to when")
        found[name] = (str(kind), onset_h, end_h, hit_h)
    return found


def _hidden(path: Path) -> dict[Any, tuple[Floats, Floats]]:
    table = batch_files.read(path, required=_TRUTH)
    return {
        name: (table.columns["true_P"][rows], table.columns["true_V"][rows])
        for name, rows in table.rows_of().items()
    }


def trained(data: Path, labels: Path, truth: Path | None) -> Model:
    """Train a twin as `train_and_keep` does; the same files give the same numbers."""
    return train(labelled(data, labels, truth), Options())


def train_and_keep(data: Path, labels: Path, truth: Path | None, label: str) -> Path:
    """Train a twin and keep it under its label, with a dossier; never over another."""
    batch_models.check_free(label)
    batches = labelled(data, labels, truth)
    options = Options()
    model = train(batches, options)
    oldest_h = round((model.detector.fitted.last_slot + 1) * STEP_H, 1)
    dossier: dict[str, Json] = {
        "label": label,
        "intended_use": "watch penicillin fed-batches of this recipe while they run; advice only",
        "data": {
            name: hashlib.sha256(path.read_bytes()).hexdigest()
            for name, path in (("data", data), ("labels", labels), ("truth", truth))
            if path is not None
        },
        "batches": {
            "normal": sum(one.is_normal for one in batches),
            "deviating": sum(not one.is_normal for one in batches),
            "kinds": ", ".join(sorted({one.kind for one in batches if one.kind})),
        },
        "training_batches": _digests(data, {str(one) for one in _labels(labels)}),
        "code_digest": artefacts.code_digest(),
        "options": {name: repr(value) for name, value in asdict(options).items()},
        "valid_range": f"0 to {oldest_h:g} h, a sample every {STEP_H:g} h, signals, units and recipe "
        "of the training",
        "provenance": "numbers fitted to a simulated campaign after Goldrick et al. 2015 and 2019; "
        "no row of the data is in this file",
    }
    return batch_models.keep(label, artefacts.to_text(model, dossier))


def _digests(data: Path, trained: Collection[str]) -> list[Json]:
    """Name the batches of a file that were trained on by the digest of their content."""
    table = batch_files.read(data)
    return [
        {"label": str(name), "content_digest": contents.digest(rows), "rows": len(rows)}
        for name, at in table.rows_of().items()
        if str(name) in trained and (rows := batch_rows.of(table, at))
    ]


def evaluate(data: Path, labels: Path, truth: Path | None, say: Say) -> None:
    """Measure a twin of these batches by nested cross-validation, beside the anchors."""
    batches = labelled(data, labels, truth)
    options = Options()
    judged, rivals = evaluation.nested(batches, options, say)
    unseen = evaluation.without_kind(batches, options, say)
    for line in evaluation.table(judged, rivals, unseen):
        say(line)
