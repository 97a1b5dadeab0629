"""Qualify a version after its test, and retire it (Annex 22 draft, 7 and 10)."""

from compliance.access import authority
from compliance.access.duties import Duty
from compliance.access.models import User
from compliance.refusals import Refused
from compliance.signatures import signing
from compliance.signatures.models import Meaning
from compliance.signatures.signing import Confirmed
from compliance.trail import recording
from twins.hub import dossiers
from twins.hub.actions import Action
from twins.hub.models import ModelVersion, RunOutcome, TestRun, VersionState


class VersionStateForbids(Refused):
    code = "model-version-state"


class NotTested(Refused):
    code = "model-not-tested"


class ModelWithoutSkill(Refused):
    """The model is no better than a guess that looks at nothing."""

    code = "model-without-skill"


class CriteriaNotMet(Refused):
    code = "criteria-not-met"


class NotIndependent(Refused):
    """Who qualifies a version had no part in it (Annex 22 draft, 6)."""

    code = "approver-not-independent"


def qualify(version: ModelVersion, *, confirmed: Confirmed, reason: str) -> ModelVersion:
    """Qualify a version by signature, on the ground of its newest test.

    Raise `NotTested`, `ModelWithoutSkill`, `CriteriaNotMet` or `NotIndependent`.
    """
    actor, at = confirmed.signer, confirmed.at
    authority.demand(actor, Duty.APPROVE_MODEL)
    text = recording.demand_reason(reason)
    with recording.recording(Action.VERSION_QUALIFIED, actor=actor, at=at, reason=text):
        locked = _taken(version, VersionState.DRAFT)
        run = _passed(locked)
        _demand_independent(locked, run, actor)
        signing.sign(locked, meaning=Meaning.APPROVED, confirmed=confirmed, comment=text)
        locked.state = VersionState.QUALIFIED
        locked.qualified_at = at
        locked.save(update_fields=["state", "qualified_at"])
    return locked


def retire(version: ModelVersion, *, confirmed: Confirmed, reason: str) -> ModelVersion:
    """Retire a qualified version by signature: it predicts no more."""
    actor, at = confirmed.signer, confirmed.at
    authority.demand(actor, Duty.APPROVE_MODEL)
    text = recording.demand_reason(reason)
    with recording.recording(Action.VERSION_RETIRED, actor=actor, at=at, reason=text):
        locked = _taken(version, VersionState.QUALIFIED)
        signing.sign(locked, meaning=Meaning.CLOSED, confirmed=confirmed, comment=text)
        locked.state = VersionState.RETIRED
        locked.retired_at = at
        locked.save(update_fields=["state", "retired_at"])
    return locked


def _taken(version: ModelVersion, state: VersionState) -> ModelVersion:
    locked = ModelVersion.objects.select_for_update().get(pk=version.pk)
    if locked.state != state:
        raise VersionStateForbids(f"{locked} is {locked.get_state_display().lower()}")
    return locked


def _passed(version: ModelVersion) -> TestRun:
    run = (
        TestRun.objects.filter(qualification__version=version)
        .select_related("qualification", "deviation")
        .order_by("-pk")
        .first()
    )
    if run is None:
        raise NotTested(f"{version} has not been tested")
    if run.outcome == RunOutcome.WITHOUT_SKILL:
        raise ModelWithoutSkill(
            f"{version} was no better than a guess in {run.qualification}: see {run.deviation}"
        )
    if run.outcome != RunOutcome.PASSED:
        raise CriteriaNotMet(f"{version} failed {run.qualification}: see {run.deviation}")
    return run


def _demand_independent(version: ModelVersion, run: TestRun, actor: User) -> None:
    dossier = dossiers.of(version)
    concerned = {
        run.qualification.author_id, run.run_by_id, dossier.prepared_by_id,
        *dossier.trainers.values_list("person_id", flat=True),
    }  # fmt: skip
    if actor.pk in concerned:
        raise NotIndependent(f"{actor.username} had a part in {version}; ask somebody else")
