"""Read files of batches for the qualification of a trained batch twin, digests taken.

What takes its time is done here, before anybody is asked for a signature that holds for a minute.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compliance.refusals import Refused
from twins.hub import batch_models
from twins.hub.dossiers import BatchRows, TrainingNotAsDeclared
from twins.hub.models import ModelVersion, Qualification
from twins.hub.sealed_sets import LabelledBatch
from twins.models.batch_monitoring import artefacts
from twins.models.batch_monitoring.model import Model
from twins.models.qualification.scoring import Label
from twins.predictions import batch_files, batch_replays, batch_rows

_NEEDED = ("batch", "kind", "onset_h")
_NORMAL = "none"
ONE_SUBGROUP = "all"


class LabelsIncomplete(Refused):
    """Labels and batches of the files do not belong together."""

    code = "batch-labels-incomplete"
    status = 422


@dataclass(frozen=True)
class Files:
    """A file of batches with the file of their labels, and of hidden states where there is one."""

    data: Path
    labels: Path
    truth: Path | None = None


def training(version: ModelVersion, files: Files) -> list[BatchRows]:
    """Return the batches that a trained twin was trained on, from the very files of its training.

    They are known by their digests in the twin's own file; batches without a label were not
    trained on. Raise `TrainingNotAsDeclared` for other files.
    """
    batch_models.of_version(version)
    declared = version.declarations.get("data", {})
    given = {"data": files.data, "labels": files.labels, "truth": files.truth}
    for name, path in given.items():
        if path is not None and declared.get(name) != _digest(path):
            raise TrainingNotAsDeclared(
                f"{path.name} is not the file of {name} that {version} was trained on"
            )
    labels = _labels(files.labels)
    return [one for one in _batches(files.data) if one.label in labels and one.digest]


def demand_repeated(version: ModelVersion, files: Files) -> None:
    """Train again from the same files; raise `TrainingNotAsDeclared` when it gives other numbers.

    An author who leaves a batch out of the files, or adds one, cannot have these numbers from them.
    """
    if files.truth is None and "truth" in version.declarations.get("data", {}):
        raise TrainingNotAsDeclared(f"{version} was trained with hidden states: name that file too")
    again = batch_replays.trained(files.data, files.labels, files.truth)
    if _digest_of(again) != version.parameters_digest:
        raise TrainingNotAsDeclared(
            f"training on these files gives other numbers than those of {version}: it was trained "
            "on something else"
        )


def test_set(files: Files, exclusions: Sequence[tuple[str, str]]) -> list[LabelledBatch]:
    """Return the batches of a file to seal: each is labelled, or left out with a reason."""
    left_out = {batch for batch, _ in exclusions}
    return [one for one in _labelled(files, left_out) if one.digest]


def opened(qualification: Qualification, files: Files) -> list[LabelledBatch]:
    """Return the batches of a file that are sealed in the test set of a qualification."""
    batches = qualification.test_set.batches
    sealed = set(batches.values_list("content_digest", flat=True))
    return [one for one in _labelled(files, None) if one.digest in sealed]


def _labelled(files: Files, left_out: set[str] | None) -> list[LabelledBatch]:
    """Return the batches with a label; `left_out` names the others, None when they do not matter."""
    labels = _labels(files.labels)
    found: list[LabelledBatch] = []
    for batch in _batches(files.data):
        if left_out is not None and batch.label in left_out:
            continue
        if batch.label in labels:
            found.append(LabelledBatch(batch.label, batch.rows, labels[batch.label]))
        elif left_out is not None:
            raise LabelsIncomplete(
                f"batch {batch.label} has no label: label it, or leave it out with a reason"
            )
    if not found:
        raise LabelsIncomplete(f"no batch of {files.data.name} has a label in {files.labels.name}")
    return found


def _batches(data: Path) -> list[BatchRows]:
    table = batch_files.read(data)
    return [BatchRows(str(name), batch_rows.of(table, at)) for name, at in table.rows_of().items()]


def _labels(path: Path) -> Mapping[str, Label]:
    """Return labels by batch: `kind` is "none" for a normal one; those without a kind have none.

    `t_P_dev5_h`, when the product was off, and `subgroup` need not be there.
    """
    table = batch_files.read_mixed(path, _NEEDED)
    harm = _optional(path, "t_P_dev5_h", len(table["batch"]))
    subgroups = _optional(path, "subgroup", len(table["batch"]))
    found: dict[str, Label] = {}
    for name, kind, onset, harmed, subgroup in zip(
        table["batch"], table["kind"], table["onset_h"], harm, subgroups, strict=True
    ):
        if kind is None or kind == "":
            continue
        is_event = kind != _NORMAL
        onset_h = batch_files.number(onset) if is_event else None
        if is_event and onset_h is None:
            raise LabelsIncomplete(f"batch {name} deviates, but its label says not from when")
        if str(name) in found:
            raise LabelsIncomplete(f"batch {name} has two labels in {path.name}")
        harm_h = batch_files.number(harmed) if is_event else None
        found[str(name)] = Label(str(subgroup or ONE_SUBGROUP), onset_h, harm_h)
    return found


def _digest_of(model: Model) -> str:
    _, dossier = artefacts.from_text(artefacts.to_text(model, {}))
    return str(dossier["digest"])


def _optional(path: Path, name: str, rows: int) -> list[Any]:
    try:
        return batch_files.read_mixed(path, (name,))[name]
    except batch_files.ColumnsMissing:
        return [None] * rows


def _digest(path: Path) -> str:
    if not path.is_file():
        raise batch_files.FileUnreadable(f"there is no file {path}")
    return hashlib.sha256(path.read_bytes()).hexdigest()
