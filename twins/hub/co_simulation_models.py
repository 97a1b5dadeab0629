"""Import FMUs, keep them by name and version with a dossier, and find them again."""

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from django.conf import settings

from compliance.refusals import Refused
from compliance.trail import durable
from twins.hub import batch_models
from twins.hub.models import ModelVersion
from twins.models import documents
from twins.models.co_simulation import archives, processes
from twins.models.co_simulation.declared import Description
from twins.models.co_simulation.processes import Limits, Steps

KIND = "co-simulation"


class UnknownCoSimulationModel(Refused):
    """No imported FMU has this name and version."""

    code = "unknown-co-simulation-model"
    status = 422


class CoSimulationModelExists(Refused):
    """A version is frozen: it is never written over."""

    code = "co-simulation-model-exists"


class CoSimulationModelAltered(Refused):
    """A kept FMU or its dossier is not what its digest stands for."""

    code = "co-simulation-model-altered"


class IntendedUseMissing(Refused):
    """Nobody said what the model is for (Annex 22 draft, 3)."""

    code = "co-simulation-intended-use-missing"
    status = 422


class FmuUnsupported(Refused):
    """The FMU needs what a run here does not give."""

    code = "fmu-variables-unsupported"
    status = 422


@dataclass(frozen=True)
class Opened:
    """A kept FMU with its description and dossier."""

    label: str
    data: bytes
    description: Description
    dossier: dict[str, Any]

    @property
    def sha256(self) -> str:
        """Return what the FMU is known by."""
        return str(self.dossier["sha256"])


def _folder() -> Path:
    return Path(settings.VAR_DIR) / "co-simulation-models"


def labels() -> tuple[str, ...]:
    """Return all imported FMUs as NAME@VERSION, in order."""
    return tuple(sorted(path.name.removesuffix(".json") for path in _folder().glob("*@*.json")))


def import_(
    path: Path, label: str, *, intended_use: str, at: datetime, limits: Limits | None = None
) -> Opened:
    """Check an FMU, try its library, and keep it with its dossier; never over another.

    Raise a refusal of its own for each kind of bad FMU, see `archives` and `processes`.
    """
    batch_models.check_free(label)
    if label in labels():
        raise CoSimulationModelExists(f"{label} is imported and frozen; choose another version")
    if not intended_use.strip():
        raise IntendedUseMissing("say what the model is for: --intended-use")
    processes.require_support()
    data = _read(path)
    description = processes.describe(data, limits=limits)
    _require_usable(description)
    tried = processes.run(data, description, Steps(0.0, 1.0, (), np.empty((0, 0))), limits=limits)
    dossier: dict[str, Any] = {
        "kind": KIND,
        "label": label,
        "sha256": hashlib.sha256(data).hexdigest(),
        "file": path.name,
        "bytes": len(data),
        "intended_use": intended_use.strip(),
        "valid_range": _valid_range(description),
        "outputs_left_out": list(description.left_out),
        "imported_at": at.isoformat(),
        "confinement_at_import": list(tried.confinement),
        "description": asdict(description),
    }
    _keep(label, data, dossier | {"digest": documents.digest(_canonical(dossier))})
    return open_(label)


def open_(label: str) -> Opened:
    """Return the kept FMU; raise `UnknownCoSimulationModel` or `CoSimulationModelAltered`."""
    if label not in labels():
        known = ", ".join(labels()) or "none; import one with `manage.py twins import-fmu`"
        raise UnknownCoSimulationModel(f"there is no FMU {label}; known: {known}")
    try:
        dossier = json.loads((_folder() / f"{label}.json").read_text(encoding="utf-8"))
        digest = dossier.pop("digest")
        if documents.digest(_canonical(dossier)) != digest or dossier["label"] != label:
            raise CoSimulationModelAltered(f"{label}: its dossier was changed since the import")
        data = (_folder() / f"{dossier['sha256']}.fmu").read_bytes()
        if hashlib.sha256(data).hexdigest() != dossier["sha256"]:
            raise CoSimulationModelAltered(f"{label}: its FMU was changed since the import")
        description = msgspec.convert(dossier["description"], Description)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CoSimulationModelAltered(f"{label} cannot be read any more: {error}") from error
    return Opened(label, data, description, dossier | {"digest": digest})


def register(label: str, *, at: datetime) -> ModelVersion:
    """Register the FMU with its dossier as a draft (Annex 22 draft, 1 and 3); once, however often."""
    dossier: Any = documents.of(open_(label).dossier)
    return batch_models.register_dossier(label, dossier, at=at)


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > archives.MOST_PACKED:
            raise archives.FmuTooLarge(f"{path.name} is larger than {archives.MOST_PACKED} bytes")
        return path.read_bytes()
    except OSError as error:
        raise archives.FmuUnreadable(f"{path} cannot be read: {error}") from error


def _require_usable(description: Description) -> None:
    if description.needs_tool:
        raise FmuUnsupported("the FMU only runs beside the tool that made it")
    inputs = [one for one in description.variables if one.causality == "input"]
    wrong = [one.name for one in inputs if not one.is_real]
    if wrong:
        raise FmuUnsupported(
            f"inputs must be single floating-point numbers; {', '.join(wrong)} are not"
        )
    if not description.of("output"):
        raise FmuUnsupported("the FMU has no output that is a single floating-point number")


def _valid_range(description: Description) -> str:
    found = []
    for one in (*description.of("input"), *description.of("parameter")):
        low = "-inf" if one.low is None else f"{one.low:g}"
        high = "inf" if one.high is None else f"{one.high:g}"
        found.append(f"{one.name} {low} to {high} {one.unit}".rstrip())
    return "; ".join(found) or "no inputs"


def _canonical(dossier: dict[str, Any]) -> dict[str, Any]:
    """Return the dossier as it is read back, so that a digest is the same before and after."""
    found: dict[str, Any] = json.loads(json.dumps(dossier))
    return found


def _keep(label: str, data: bytes, dossier: dict[str, Any]) -> None:
    """Write the FMU under its digest, then the dossier, which alone makes it known."""
    folder = _folder()
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / f"{dossier['sha256']}.fmu"
    if not kept.is_file() or kept.read_bytes() != data:
        durable.replace(kept, data, mode=0o600)
    try:
        with (folder / f"{label}.json").open("x", encoding="utf-8") as text:
            json.dump(dossier, text, indent=1, sort_keys=True, ensure_ascii=False)
    except FileExistsError as error:
        raise CoSimulationModelExists(
            f"{label} is imported and frozen; choose another version"
        ) from error
