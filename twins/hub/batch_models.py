"""Find and keep trained batch twins by name and version: shipped ones, and those trained here."""

import re
from collections.abc import Mapping
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
BATCH_MODELS, PROCESS_MODELS = "batch-models", "process-models"


class UnknownBatchModel(Refused):
    """No trained twin has this name and version."""

    code = "unknown-batch-model"
    status = 422


class BatchModelExists(Refused):
    """A version is frozen: it is never written over."""

    code = "batch-model-exists"


class BatchModelAltered(Refused):
    """A trained twin's file is not what its digest stands for, or not what was registered."""

    code = "batch-model-altered"


class BatchModelKnown(Refused):
    """The same numbers are registered under another name, with the history that they have there."""

    code = "batch-model-known"


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
    return SHIPPED, kept_in(BATCH_MODELS)


def kept_in(kind: str) -> Path:
    """Return the folder of the twins of a kind that were trained here."""
    return Path(settings.VAR_DIR) / kind


def is_label(name: str) -> bool:
    """Tell whether this is the name of a trained twin: NAME@VERSION."""
    return _NAME.fullmatch(name) is not None


def labels() -> tuple[str, ...]:
    """Return all trained twins as NAME@VERSION, in order."""
    return labels_in(*_folders())


def labels_in(*folders: Path) -> tuple[str, ...]:
    """Return the twins in these folders as NAME@VERSION, in order."""
    found = {
        path.name.removesuffix(".json") for folder in folders for path in folder.glob("*@*.json")
    }
    return tuple(sorted(found))


def open_(label: str) -> Opened:
    """Return the trained twin; raise `UnknownBatchModel` or `BatchModelAltered`."""
    for folder in _folders():
        path = folder / f"{label}.json"
        if is_label(label) and path.is_file():
            try:
                model, dossier = _parsed(path.read_text(encoding="utf-8"))
            except (artefacts.NotATwin, UnicodeDecodeError) as error:
                raise BatchModelAltered(f"{label}: {error}") from error
            return Opened(label, model, dossier)
    known = ", ".join(labels()) or "none; train one with `manage.py twins train`"
    raise UnknownBatchModel(f"there is no trained twin {label}; known: {known}")


def is_trained(version: ModelVersion) -> bool:
    """Tell whether a version stands for a trained batch twin."""
    return is_label(version.name)


def of_version(version: ModelVersion) -> Opened:
    """Return the trained twin of a version, byte for byte what was registered.

    Raise `UnknownBatchModel`, `BatchModelAltered` or `BatchModelOfOtherCode`.
    """
    opened = open_(version.name)
    _demand_same(version, opened)
    return opened


def registered(opened: Opened) -> ModelVersion | None:
    """Return the version that a trained twin is registered as, None when it is not.

    Raise `BatchModelAltered` when another file was registered under this label, or
    `BatchModelOfOtherCode`.
    """
    version = ModelVersion.objects.filter(name=opened.label).order_by("pk").last()
    if version is None:
        return None
    _demand_same(version, opened)
    return version


def _demand_same(version: ModelVersion, opened: Opened) -> None:
    # The digest in the file covers its numbers; what else it says is compared word by word.
    said = _identity(opened.label, opened.dossier) | _content(opened.dossier)
    differing = [name for name, value in said.items() if getattr(version, name) != value]
    if differing:
        raise BatchModelAltered(
            f"the file of {opened.label} is not the one that was registered as {version}; they differ "
            f"in {', '.join(differing)}: nothing is predicted until this is explained"
        )
    if version.code_digest != artefacts.code_digest():
        raise BatchModelOfOtherCode(
            f"{version} was registered with other code than is installed; train and register another "
            "version"
        )


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
    """Register the trained twin with its dossier (Annex 22 draft, 1 and 3); once, however often.

    Raise `BatchModelAltered` when the label stands for another file already, `BatchModelKnown` when
    the same numbers are registered under another, and what `installed` raises.
    """
    known = registered(open_(label))
    return known or register_dossier(label, installed(label).dossier, at=at)


def _identity(label: str, dossier: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a version is known by; the code of an imported model is its file.

    What somebody took out of a file is None, which no version is.
    """
    code_digest = dossier.get("code_digest") or dossier.get("sha256")
    return {"name": label, "code_digest": code_digest, "parameters_digest": dossier.get("digest")}


def _content(dossier: Mapping[str, Any]) -> dict[str, Any]:
    """Return what else a version says of a twin with this dossier."""
    return {
        "intended_use": dossier.get("intended_use"),
        "valid_range": dossier.get("valid_range"),
        "declarations": dossier,
    }


def register_dossier(label: str, dossier: Mapping[str, Any], *, at: datetime) -> ModelVersion:
    """Register a trained or imported twin of any kind by its dossier; once, however often.

    Raise `BatchModelKnown` when the same numbers are registered under another label.
    """
    identity = _identity(label, dossier)
    version = ModelVersion.objects.filter(**identity).first()
    if version is not None:
        return version
    same = ModelVersion.objects.filter(parameters_digest=dossier["digest"])
    other = same.exclude(name=label).first()
    if other is not None:
        raise BatchModelKnown(f"{label} has the numbers that are registered as {other}: use that")
    with recording.recording(
        Action.VERSION_REGISTERED,
        actor=System("twin hub"),
        at=at,
        reason=f"{label} was trained, imported or shipped, and not registered before",
    ):
        version, _ = ModelVersion.objects.get_or_create(
            **identity, defaults={**_content(dossier), "registered_at": at}
        )
    return version


def check_free(label: str) -> None:
    """Raise a refusal when a new version cannot have this label."""
    if not is_label(label):
        raise UnknownBatchModel(
            f"{label} is no NAME@VERSION: lower-case letters, digits and hyphens, @, a number"
        )
    if label in labels_in(*_folders(), kept_in(PROCESS_MODELS)):
        raise BatchModelExists(f"{label} is trained and frozen; choose another version")


def keep(label: str, text: str, *, kind: str = BATCH_MODELS) -> Path:
    """Keep a newly trained twin under this label; raise `BatchModelExists`."""
    check_free(label)
    folder = kept_in(kind)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{label}.json"
    try:
        with path.open("x", encoding="utf-8") as handle:
            handle.write(text)
    except FileExistsError as error:
        raise BatchModelExists(f"{label} is trained and frozen; choose another version") from error
    return path
