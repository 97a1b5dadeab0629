"""Prepare and sign the dossier of a model version (Annex 22 draft, 3)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from compliance.access import authority
from compliance.access.duties import Duty
from compliance.access.models import User
from compliance.refusals import Refused
from compliance.signatures import signing
from compliance.signatures.models import Meaning
from compliance.signatures.signing import Confirmed
from compliance.trail import recording
from compliance.trail.tlog import canonical
from twins.hub.actions import Action
from twins.hub.models import ModelDossier, ModelVersion, Trainer, TrainingBatch, VersionState
from twins.models import documents
from twins.models.qualification import contents
from twins.models.qualification.contents import Row, RowsUnreadable

_LEAST = 20


class DossierIncomplete(Refused):
    code = "model-dossier-incomplete"
    status = 422


class TrainingNotAsDeclared(Refused):
    """The training batches are not those that the trained file itself names."""

    code = "training-not-as-declared"
    status = 422


class DossierKnown(Refused):
    """A dossier freezes its version; what is different is another version."""

    code = "model-dossier-known"


@dataclass(frozen=True)
class BatchRows:
    """The content of one batch, under the name its keeper gives it."""

    label: str
    rows: Sequence[Row]

    @cached_property
    def digest(self) -> str:
        """Return the digest of the content; raise `RowsUnreadable`."""
        return contents.digest(self.rows)

    @cached_property
    def means(self) -> dict[str, float]:
        """Return the mean of each input."""
        return contents.means(self.rows)


def prepare(
    version: ModelVersion, *, subgroups: Sequence[str], limits: str, training: str,
    batches: Sequence[BatchRows], trainers: Sequence[User], confirmed: Confirmed,
    is_training_repeated: bool = False,
) -> ModelDossier:  # fmt: skip
    """Say by signature what a version is for, what it cannot do and what it was trained on.

    Digests are taken here from the rows themselves. A version without training data says why in
    `training`; `is_training_repeated` is for whoever trained it again from these batches. Raise
    `DossierIncomplete`, `DossierKnown`, or `TrainingNotAsDeclared` when a trained file names other
    batches than these.
    """
    actor, at = confirmed.signer, confirmed.at
    authority.demand(actor, Duty.AUTHOR_MODEL)
    if problems := _problems(
        version,
        subgroups=subgroups,
        limits=limits,
        training=training,
        is_trained=bool(batches),
        trainers=trainers,
    ):
        raise DossierIncomplete(f"{version}: {'; '.join(problems)}")
    digests = [_digest(batch) for batch in batches]
    if len(set(digests)) < len(digests):
        raise DossierIncomplete(f"{version}: two training batches have the same content")
    _demand_as_declared(version, digests)
    with recording.recording(
        Action.DOSSIER_PREPARED, actor=actor, at=at, reason=f"dossier of {version}"
    ):
        locked = ModelVersion.objects.select_for_update().get(pk=version.pk)
        if ModelDossier.objects.filter(version=locked).exists():
            raise DossierKnown(f"{locked} has its dossier; changed content is another version")
        dossier = ModelDossier.objects.create(
            version=locked, subgroups=list(subgroups), limits=limits.strip(),
            training=training.strip(), is_training_repeated=is_training_repeated,
            prepared_by=actor, prepared_at=at,
        )  # fmt: skip
        Trainer.objects.bulk_create(Trainer(dossier=dossier, person=one) for one in trainers)
        TrainingBatch.objects.bulk_create(
            TrainingBatch(
                dossier=dossier, label=batch.label, content_digest=digest, rows=len(batch.rows),
                means=[[name, documents.of(mean)] for name, mean in batch.means.items()],
            )
            for batch, digest in zip(batches, digests, strict=True)
        )  # fmt: skip
        signing.sign(locked, meaning=Meaning.AUTHORED, confirmed=confirmed)
    return dossier


def trainers(usernames: Sequence[str]) -> list[User]:
    """Return the people of these names; raise `DossierIncomplete` for a name that nobody has."""
    found = {one.username: one for one in User.objects.filter(username__in=usernames)}
    if unknown := [name for name in usernames if name not in found]:
        raise DossierIncomplete(
            f"nobody is called {', '.join(unknown)}: a trainer is a person on record"
        )
    return list(found.values())


def _demand_as_declared(version: ModelVersion, digests: Sequence[str]) -> None:
    declared = version.declarations.get("training_batches")
    if declared is None:
        return
    named = {str(one["content_digest"]) for one in declared}
    missing, added = len(named - set(digests)), len(set(digests) - named)
    if missing or added:
        raise TrainingNotAsDeclared(
            f"{version} was trained on {len(named)} batches by its own file: {missing} of them are "
            f"not here, and {added} are here that it does not name"
        )


def of(version: ModelVersion) -> ModelDossier:
    """Return the signed dossier of a version; raise `DossierIncomplete` when there is none."""
    dossier = ModelDossier.objects.filter(version=version).select_related("prepared_by").first()
    if dossier is None:
        raise DossierIncomplete(f"{version} has no dossier; prepare it first")
    return dossier


@signing.signable(ModelVersion, meanings={Meaning.AUTHORED, Meaning.APPROVED, Meaning.CLOSED})
def content(version: ModelVersion) -> Mapping[str, canonical.Value]:
    """Everything of a version and its dossier: what it is, is for, and was trained on."""
    dossier = ModelDossier.objects.filter(version=version).first()
    return {
        "name": version.name,
        "code_digest": version.code_digest,
        "parameters_digest": version.parameters_digest,
        "intended_use": version.intended_use,
        "valid_range": version.valid_range,
        "declarations": version.declarations,
        "subgroups": dossier.subgroups if dossier else None,
        "limits": dossier.limits if dossier else None,
        "training": dossier.training if dossier else None,
        "is_training_repeated": dossier.is_training_repeated if dossier else None,
        "trainers": sorted(one.person.username for one in _trainers(dossier)),
        "training_batches": sorted(
            dossier.batches.values_list("content_digest", flat=True) if dossier else []
        ),
    }


def _trainers(dossier: ModelDossier | None) -> list[Trainer]:
    return list(dossier.trainers.select_related("person")) if dossier else []


def _digest(batch: BatchRows) -> str:
    try:
        return batch.digest
    except RowsUnreadable as error:
        raise DossierIncomplete(f"{batch.label}: {error}") from error


def _problems(
    version: ModelVersion, *, subgroups: Sequence[str], limits: str, training: str,
    is_trained: bool, trainers: Sequence[User],
) -> list[str]:  # fmt: skip
    found = []
    if version.state != VersionState.DRAFT:
        found.append(f"it is {version.get_state_display().lower()} already")
    if not version.intended_use.strip():
        found.append("its intended use is not stated")
    if not version.valid_range.strip():
        found.append("its input space is not stated")
    if not subgroups or any(not one.strip() for one in subgroups):
        found.append("name the subgroups, or “all” when there is one only")
    if len(limits.strip()) < _LEAST:
        found.append(f"say in {_LEAST} characters or more what it cannot do")
    if len(training.strip()) < _LEAST:
        found.append("say where the training data came from, or why there are none")
    if is_trained and not trainers:
        found.append("name whoever trained it")
    for parameter in version.declarations.get("parameters", []):
        if missing := _missing(parameter):
            found.append(f"parameter {parameter.get('name')} has no {', '.join(missing)}")
    return found


def _missing(parameter: Mapping[str, Any]) -> list[str]:
    wanted = ("value", "unit", "source", "low", "high")
    return [name for name in wanted if not str(parameter.get(name) or "").strip()]
