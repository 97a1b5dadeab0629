"""Keep written procedures with their versions, and say which roles need training in them."""

from datetime import datetime

from django.db.models import QuerySet

from compliance.access import authority
from compliance.access.actions import Action
from compliance.access.duties import LABELS, Duty, Role
from compliance.access.models import Curriculum, Procedure, ProcedureVersion
from compliance.refusals import Refused
from compliance.trail import recording
from compliance.trail.recording import Actor, System


class ProcedureKnown(Refused):
    code = "procedure-known"


class ProcedureInvalid(Refused):
    """A procedure or its version does not say what it must."""

    code = "procedure-invalid"
    status = 422


class ProcedureRetired(Refused):
    code = "procedure-retired"


class CurriculumKnown(Refused):
    code = "curriculum-known"


def create(*, code: str, title: str, actor: Actor, at: datetime) -> Procedure:
    """Register a procedure; it says nothing before its first version."""
    _demand(actor)
    code, title = code.strip(), title.strip()
    if not code or not title:
        raise ProcedureInvalid("a procedure has a code and a title")
    if Procedure.objects.filter(code__iexact=code).exists():
        raise ProcedureKnown(f"there is a procedure {code} already; add a version to it")
    with recording.recording(Action.PROCEDURE_CREATED, actor=actor, at=at, reason=title):
        return Procedure.objects.create(code=code, title=title, created_at=at)


def add_version(
    procedure: Procedure, *, summary: str, effective_from: datetime, actor: Actor, at: datetime,
    retrain_after_days: int | None = None, document_digest: str = "",
) -> ProcedureVersion:  # fmt: skip
    """Add the next version; it supersedes the one before it when it becomes effective."""
    _demand(actor)
    text = recording.demand_reason(summary)
    with recording.recording(Action.PROCEDURE_VERSION_ADDED, actor=actor, at=at, reason=text):
        locked = Procedure.objects.select_for_update().get(pk=procedure.pk)
        if locked.retired_at is not None:
            raise ProcedureRetired(f"{locked.code} is retired; register another procedure")
        last = locked.versions.order_by("-version").first()
        if last is not None and effective_from <= last.effective_from:
            raise ProcedureInvalid(
                f"{last} is effective from {last.effective_from:%Y-%m-%d %H:%M} UTC: "
                "the next version comes after it"
            )
        return ProcedureVersion.objects.create(
            procedure=locked,
            version=last.version + 1 if last else 1,
            summary=text,
            effective_from=effective_from,
            retrain_after_days=retrain_after_days,
            document_digest=document_digest,
            recorded_at=at,
        )


def retire(procedure: Procedure, *, actor: Actor, at: datetime, reason: str) -> Procedure:
    """Take a procedure out of use; nothing is done by it any more."""
    _demand(actor)
    text = recording.demand_reason(reason)
    with recording.recording(Action.PROCEDURE_RETIRED, actor=actor, at=at, reason=text):
        locked = Procedure.objects.select_for_update().get(pk=procedure.pk)
        if locked.retired_at is not None:
            raise ProcedureRetired(f"{locked.code} is retired already")
        locked.retired_at = at
        locked.save(update_fields=["retired_at"])
        for needed in locked.curricula.filter(ended_at=None):
            needed.ended_at = at
            needed.save(update_fields=["ended_at"])
    return locked


def effective_version(procedure: Procedure, *, at: datetime) -> ProcedureVersion | None:
    """Return the version that is in force at a moment, or None."""
    if procedure.retired_at is not None and procedure.retired_at <= at:
        return None
    return (
        procedure.versions.select_related("procedure")
        .filter(effective_from__lte=at)
        .order_by("-effective_from")
        .first()
    )


def effective(*, at: datetime) -> QuerySet[ProcedureVersion]:
    """Return the version in force of every procedure."""
    return (
        ProcedureVersion.objects.filter(effective_from__lte=at)
        .exclude(procedure__retired_at__lte=at)
        .select_related("procedure")
        .order_by("procedure_id", "-effective_from")
        .distinct("procedure_id")
    )


def need(procedure: Procedure, *, role: Role, actor: Actor, at: datetime) -> Curriculum:
    """Say that whoever holds a role needs training in the procedure."""
    _demand(actor)
    if procedure.curricula.filter(role=role, ended_at=None).exists():
        raise CurriculumKnown(f"{LABELS[role]} needs {procedure.code} already")
    reason = f"{LABELS[role]} needs {procedure.code}"
    with recording.recording(Action.CURRICULUM_CHANGED, actor=actor, at=at, reason=reason):
        return Curriculum.objects.create(procedure=procedure, role=role, since=at)


def end_need(curriculum: Curriculum, *, actor: Actor, at: datetime, reason: str) -> Curriculum:
    """Say that a role needs the training no longer."""
    _demand(actor)
    text = recording.demand_reason(reason)
    with recording.recording(Action.CURRICULUM_CHANGED, actor=actor, at=at, reason=text):
        locked = Curriculum.objects.select_for_update().get(pk=curriculum.pk)
        if locked.ended_at is not None:
            raise CurriculumKnown(f"{locked} ended already")
        locked.ended_at = at
        locked.save(update_fields=["ended_at"])
    return locked


def _demand(actor: Actor) -> None:
    if not isinstance(actor, System):
        authority.demand(actor, Duty.MANAGE_TRAINING)  # type: ignore[arg-type]
