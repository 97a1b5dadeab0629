"""Register which exact code and parameters a twin runs with (Annex 22 draft, 1 and 10)."""

from collections.abc import Sequence
from datetime import datetime

from compliance.refusals import Refused
from compliance.trail import recording
from compliance.trail.recording import System
from twins.hub import batch_models
from twins.hub.actions import Action
from twins.hub.models import ModelVersion, VersionState
from twins.models import documents
from twins.models.registry import MODELS, Twin, UnknownTwin


class TwinMissing(Refused):
    """A record names a twin that this installation does not have."""

    code = "twin-missing"


class VersionRetired(Refused):
    """A retired version predicts and advises no more."""

    code = "model-version-retired"


class VersionAltered(Refused):
    """A registered version says something else than the code and parameters it stands for."""

    code = "model-version-altered"


def installed(name: str) -> Twin:
    """Return the twin of this name; raise `TwinMissing`."""
    try:
        return MODELS.get(name)
    except UnknownTwin as error:
        raise TwinMissing(str(error)) from error


def identity(name: str) -> tuple[str, str]:
    """Return the digests of the code and the parameters that answer under a name here.

    Raise `TwinMissing`, or for a trained twin a refusal of `batch_models`.
    """
    if batch_models.is_label(name):
        return batch_models.identity(name)
    twin = installed(name)
    return twin.code_digest(), twin.parameters_digest()


def current(name: str, *, at: datetime) -> ModelVersion:
    """Return the version that stands for the installed code and parameters of a twin.

    New code or new parameters are a new version, registered in an act of its own. Raise
    `TwinMissing`, `VersionRetired`, or `VersionAltered` when its record was changed afterwards; for
    a trained twin what `batch_models.register` raises.
    """
    if batch_models.is_label(name):
        return _sound(batch_models.register(name, at=at), ())
    twin = installed(name)
    identity = {
        "name": name,
        "code_digest": twin.code_digest(),
        "parameters_digest": twin.parameters_digest(),
    }
    content = {
        "intended_use": twin.declaration.intended_use,
        "valid_range": twin.declaration.valid_range,
        "declarations": documents.of(twin.declaration),
    }
    version = ModelVersion.objects.filter(**identity).first()
    if version is None:
        with recording.recording(
            Action.VERSION_REGISTERED,
            actor=System("twin hub"),
            at=at,
            reason=f"{name} was installed with code or parameters not registered before",
        ):
            # Two workers that start together: the second one finds the row of the first.
            version, _ = ModelVersion.objects.get_or_create(
                **identity, defaults={**content, "registered_at": at}
            )
    changed = [field for field, value in content.items() if getattr(version, field) != value]
    # The digest of the parameters covers the declarations: both must tell the same.
    if documents.digest(version.declarations) != version.parameters_digest:
        changed.append("parameters_digest")
    return _sound(version, changed)


def _sound(version: ModelVersion, changed: Sequence[str]) -> ModelVersion:
    if changed:
        raise VersionAltered(
            f"model version {version} differs from what its digests stand for in "
            f"{', '.join(changed)}: no prediction is made until this is explained"
        )
    demand_in_use(version)
    return version


def demand_in_use(version: ModelVersion) -> None:
    """Pass unless a version is retired: then raise `VersionRetired`."""
    if version.state == VersionState.RETIRED:
        raise VersionRetired(f"model version {version} is retired; install its successor")


def is_qualified(version: ModelVersion) -> bool:
    """Tell whether what a version says counts for GMP; what any other says is a trial."""
    return version.state == VersionState.QUALIFIED


def may_predict(name: str) -> bool:
    """Tell whether what answers under a name here is installed as it was, and not retired."""
    try:
        code, parameters = identity(name)
    except Refused:
        return False
    retired = ModelVersion.objects.filter(
        name=name, code_digest=code, parameters_digest=parameters, state=VersionState.RETIRED
    )
    return not retired.exists()


def is_installed(version: ModelVersion) -> bool:
    """Tell whether a version is the code and the parameters that this installation runs."""
    try:
        return identity(version.name) == (version.code_digest, version.parameters_digest)
    except Refused:  # there is none of this name, or its file is not what it was
        return False
