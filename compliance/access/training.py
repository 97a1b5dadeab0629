"""Train people in procedures, and ask whether their training is current (21 CFR 11.10(i), 211.25)."""

from datetime import date, datetime, timedelta

from django.db.models import Q, QuerySet

from compliance.access import authority
from compliance.access.actions import Action
from compliance.access.duties import Duty
from compliance.access.models import (
    Assessment,
    Procedure,
    ProcedureVersion,
    Training,
    TrainingMethod,
    User,
)
from compliance.access.procedures import effective_version
from compliance.refusals import Refused
from compliance.trail import recording
from compliance.trail.recording import Actor, System

__all__ = [
    "NotTrained", "TrainingInvalid", "acknowledge", "demand", "effective_version", "is_current",
    "of", "record", "withdraw",
]  # fmt: skip


class NotTrained(Refused):
    """Only who is trained in the effective version of a procedure does what it describes."""

    code = "not-trained"
    status = 403


class TrainingInvalid(Refused):
    """The record of a training does not say what it must."""

    code = "training-invalid"
    status = 422


class OwnTraining(Refused):
    """Nobody records their own training."""

    code = "own-training"
    status = 403


class TrainingOfAnother(Refused):
    """Only the person says that they have read and understood."""

    code = "training-of-another"
    status = 403


class TrainingClosed(Refused):
    code = "training-closed"


def record(
    person: User, *, version: ProcedureVersion, method: TrainingMethod, assessment: Assessment,
    trained_at: datetime, actor: Actor, at: datetime, remark: str = "",
    trained_by: User | None = None, valid_until: date | None = None,
) -> Training:  # fmt: skip
    """Record a training; the trainer is the actor unless another one is named, and never the person."""
    trainer = trained_by or (actor if isinstance(actor, User) else None)
    _demand_another(person, actor, trainer)
    if trained_at > at:
        raise TrainingInvalid("a training cannot have taken place in the future")
    if assessment == Assessment.FAILED and not remark.strip():
        raise TrainingInvalid("say in the remark what the person did not know, and what follows")
    until = valid_until or _until(version, trained_at)
    if until is not None and until < trained_at.date():
        raise TrainingInvalid("a training cannot end before it took place")
    reason = f"{person.username} in {version}: {Assessment(assessment).label}"
    with recording.recording(Action.TRAINED, actor=actor, at=at, reason=reason):
        return Training.objects.create(
            person=person,
            procedure_version=version,
            method=method,
            assessment=assessment,
            remark=remark.strip(),
            trained_by=trainer,
            trained_by_name=trainer.full_name if trainer else actor.trail_identity().name,
            trained_at=trained_at,
            valid_until=until,
            recorded_at=at,
        )


def acknowledge(training: Training, *, actor: User, at: datetime) -> Training:
    """Let the person say: I have read and understood; raise `TrainingOfAnother`."""
    if actor.pk != training.person_id:
        raise TrainingOfAnother(f"only {training.person.username} can say so")
    reason = f"{training.procedure_version} read and understood"
    with recording.recording(Action.TRAINING_ACKNOWLEDGED, actor=actor, at=at, reason=reason):
        locked = Training.objects.select_for_update().get(pk=training.pk)
        if locked.withdrawn_at is not None or locked.acknowledged_at is not None:
            raise TrainingClosed(f"{locked}: it was acknowledged or withdrawn already")
        locked.acknowledged_at = at
        locked.save(update_fields=["acknowledged_at"])
    return locked


def withdraw(training: Training, *, actor: Actor, at: datetime, reason: str) -> Training:
    """Withdraw a training: it counts no more, and stays on record."""
    text = recording.demand_reason(reason)
    _demand_another(training.person, actor, None)
    with recording.recording(Action.TRAINING_WITHDRAWN, actor=actor, at=at, reason=text):
        locked = Training.objects.select_for_update().get(pk=training.pk)
        if locked.withdrawn_at is not None:
            raise TrainingClosed(f"{locked} was withdrawn already")
        locked.withdrawn_at = at
        locked.save(update_fields=["withdrawn_at"])
    return locked


def is_current(person: User, *, procedure: Procedure, at: datetime) -> bool:
    """Say whether the person is trained in the version that is effective at a moment."""
    version = effective_version(procedure, at=at)
    return (
        version is not None
        and counting(at=at).filter(person=person, procedure_version=version).exists()
    )


def demand(person: User, *, procedure: Procedure, at: datetime) -> None:
    """Pass when the person's training is current, else raise `NotTrained`."""
    version = effective_version(procedure, at=at)
    if version is None:
        raise NotTrained(f"{procedure.code} has no effective version: nothing is done by it")
    if not counting(at=at).filter(person=person, procedure_version=version).exists():
        raise NotTrained(
            f"{person.username} has no current training in {version}; have it recorded first"
        )


def counting(*, at: datetime) -> QuerySet[Training]:
    """Return the trainings that count at a moment: passed, not withdrawn, not run out."""
    return Training.objects.filter(
        Q(withdrawn_at=None) | Q(withdrawn_at__gt=at),
        Q(valid_until=None) | Q(valid_until__gte=at.date()),
        assessment=Assessment.PASSED,
        trained_at__lte=at,
    )


def of(person: User) -> QuerySet[Training]:
    """Return everything that a person was trained in, newest first."""
    return person.trainings.select_related("procedure_version__procedure").order_by(
        "-trained_at", "-pk"
    )


def _until(version: ProcedureVersion, trained_at: datetime) -> date | None:
    if version.retrain_after_days is None:
        return None
    return (trained_at + timedelta(days=version.retrain_after_days)).date()


def _demand_another(person: User, actor: Actor, trainer: User | None) -> None:
    if not isinstance(actor, System):
        authority.demand(actor, Duty.MANAGE_TRAINING)  # type: ignore[arg-type]
    if person.pk in {getattr(actor, "pk", None) if isinstance(actor, User) else None,
                     trainer.pk if trainer else None}:  # fmt: skip
        raise OwnTraining(f"{person.username} neither trains nor records themself; ask a colleague")
