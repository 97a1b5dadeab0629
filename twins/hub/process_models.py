"""Find and keep trained twins of any process, by name and version."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from twins.hub import batch_models
from twins.hub.batch_models import BatchModelAltered, UnknownBatchModel
from twins.hub.models import ModelVersion
from twins.models.process_monitoring import artefacts
from twins.models.process_monitoring.artefacts import Model


@dataclass(frozen=True)
class Opened:
    """A trained twin of a process with its dossier."""

    label: str
    model: Model
    dossier: dict[str, Any]

    @property
    def code_is_that_of_training(self) -> bool:
        """Tell whether the code that answers is the code that trained."""
        return bool(self.dossier.get("code_digest") == artefacts.code_digest())


def _folder() -> Path:
    return batch_models.kept_in(batch_models.PROCESS_MODELS)


def labels() -> tuple[str, ...]:
    """Return all trained twins of processes as NAME@VERSION, in order."""
    return batch_models.labels_in(_folder())


def open_(label: str) -> Opened:
    """Return the trained twin; raise `UnknownBatchModel` or `BatchModelAltered`."""
    path = _folder() / f"{label}.json"
    if not batch_models.is_label(label) or not path.is_file():
        known = ", ".join(labels()) or "none; keep one with `--keep NAME@VERSION`"
        raise UnknownBatchModel(f"there is no trained twin {label} of a process; known: {known}")
    try:
        model, dossier = artefacts.from_text(path.read_text(encoding="utf-8"))
    except (artefacts.NotATwin, UnicodeDecodeError) as error:
        raise BatchModelAltered(f"{label}: {error}") from error
    return Opened(label, model, dossier)


def register(label: str, *, at: datetime) -> ModelVersion:
    """Register the trained twin with its dossier (Annex 22 draft, 1 and 3); once, however often."""
    return batch_models.register_dossier(label, open_(label).dossier, at=at)


def keep(label: str, text: str) -> Path:
    """Keep a newly trained twin under this label; raise `BatchModelExists`."""
    return batch_models.keep(label, text, kind=batch_models.PROCESS_MODELS)
