"""Find and keep trained batch twins by name and version: shipped ones, and those trained here."""

import re
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings

from compliance.refusals import Refused
from compliance.trail import recording
from compliance.trail.recording import System
from twins.hub.actions import Action
from twins.hub.models import ModelVersion
from twins.models import batch_monitoring
from twins.models.batch_monitoring import artefacts
from twins.models.batch_monitoring.model import Model

_NAME = re.compile(r"(?P<name>[a-z0-9][a-z0-9-]{0,59})@(?P<version>[0-9][0-9a-z.-]{0,19})")
SHIPPED = Path(batch_monitoring.__file__).parent / "trained"


class UnknownBatchModel(Refused):
    """No trained twin has this name and version."""

    code = "unknown-batch-model"
    status = 422


class BatchModelExists(Refused):
    """A version is frozen: it is never written over."""

    code = "batch-model-exists"


class BatchModelAltered(Refused):
    """A trained twin's file is not what its digest stands for."""

    code = "batch-model-altered"


class BatchModelOfOtherCode(Refused):
    """A trained twin answers beside a batch by the code that trained it, or not at all."""

    code = "batch-model-of-other-code"


@dataclass(frozen=True)
class Opened:
    """A trained twin with its dossier."""

    label: str
    model: Model
    dossier: dict[str, Any]

    @property
    def code_is_that_of_training(self) -> bool:
        """Tell whether the code that answers is the code that trained."""
        return bool(self.dossier.get("code_digest") == artefacts.code_digest())


def _folders() -> tuple[Path, ...]:
    return SHIPPED, Path(settings.VAR_DIR) / "batch-models"


def is_label(name: str) -> bool:
    """Tell whether this is the name of a trained twin: NAME@VERSION."""
    return _NAME.fullmatch(name) is not None


def labels() -> tuple[str, ...]:
    """Return all trained twins as NAME@VERSION, in order."""
    found = {
        path.name.removesuffix(".json") for folder in _folders() for path in folder.glob("*@*.json")
    }
    return tuple(sorted(found))


def open_(label: str) -> Opened:
    """Return the trained twin; raise `UnknownBatchModel` or `BatchModelAltered`."""
    for folder in _folders():
        path = folder / f"{label}.json"
        if _NAME.fullmatch(label) and path.is_file():
            try:
                model, dossier = _parsed(path.read_text(encoding="utf-8"))
            except (artefacts.NotATwin, UnicodeDecodeError) as error:
                raise BatchModelAltered(f"{label}: {error}") from error
            return Opened(label, model, dossier)
    known = ", ".join(labels()) or "none; train one with `manage.py twins train`"
    raise UnknownBatchModel(f"there is no trained twin {label}; known: {known}")


@lru_cache(maxsize=8)
def _parsed(text: str) -> tuple[Model, dict[str, Any]]:
    """Read an artefact once: a worker asks the same twin again and again."""
    return artefacts.from_text(text)


def installed(label: str) -> Opened:
    """Return the trained twin with the code that trained it; raise `BatchModelOfOtherCode`."""
    opened = open_(label)
    if not opened.code_is_that_of_training:
        raise BatchModelOfOtherCode(
            f"{label} was trained by other code than is installed: train it again as a new version"
        )
    return opened


def identity(label: str) -> tuple[str, str]:
    """Return the digests of the code that answers here, and of the trained numbers."""
    return artefacts.code_digest(), str(open_(label).dossier["digest"])


def register(label: str, *, at: datetime) -> ModelVersion:
    """Register the trained twin with its dossier (Annex 22 draft, 1 and 3); once, however often."""
    opened = open_(label)
    identity = {
        "name": label,
        "code_digest": opened.dossier["code_digest"],
        "parameters_digest": opened.dossier["digest"],
    }
    version = ModelVersion.objects.filter(**identity).first()
    if version is not None:
        return version
    with recording.recording(
        Action.VERSION_REGISTERED,
        actor=System("twin hub"),
        at=at,
        reason=f"{label} was trained or shipped and not registered before",
    ):
        version, _ = ModelVersion.objects.get_or_create(
            **identity,
            defaults={
                "intended_use": opened.dossier["intended_use"],
                "valid_range": opened.dossier["valid_range"],
                "declarations": opened.dossier,
                "registered_at": at,
            },
        )
    return version


def check_free(label: str) -> None:
    """Raise a refusal when a new version cannot have this label."""
    if not _NAME.fullmatch(label):
        raise UnknownBatchModel(
            f"{label} is no NAME@VERSION: lower-case letters, digits and hyphens, @, a number"
        )
    if label in labels():
        raise BatchModelExists(f"{label} is trained and frozen; choose another version")


def keep(label: str, text: str) -> Path:
    """Keep a newly trained twin under this label; raise `BatchModelExists`."""
    check_free(label)
    folder = _folders()[-1]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{label}.json"
    try:
        with path.open("x", encoding="utf-8") as handle:
            handle.write(text)
    except FileExistsError as error:
        raise BatchModelExists(f"{label} is trained and frozen; choose another version") from error
    return path
