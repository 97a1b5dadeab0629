"""Establish who a person is, before the person may sign (21 CFR 11.100(b))."""

from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from compliance.access import authority
from compliance.access.actions import Action
from compliance.access.duties import GMP, Duty
from compliance.access.models import IdentityProof, ProofMethod, RoleAssignment, User
from compliance.refusals import Refused
from compliance.trail import recording
from compliance.trail.recording import Actor, System


class IdentityNotProven(Refused):
    """Nobody signs before somebody else has established who they are."""

    code = "identity-not-proven"
    status = 403


class IdentityProofInvalid(Refused):
    """The record of the check does not say what it must."""

    code = "identity-proof-invalid"
    status = 422


class OwnIdentity(Refused):
    """Nobody proves their own identity."""

    code = "own-identity"
    status = 403


class ProofWithdrawn(Refused):
    code = "identity-proof-withdrawn"


def prove(
    person: User, *, method: ProofMethod, document: str, proven_at: datetime, actor: Actor,
    at: datetime,
) -> IdentityProof:  # fmt: skip
    """Record that the actor saw who the person is; raise `OwnIdentity`, `IdentityProofInvalid`."""
    text = " ".join(document.split())
    _demand_another(person, actor)
    if len(text) < 4:
        raise IdentityProofInvalid(
            "say what was seen and where its copy is kept, e.g. passport, personnel file HR-0042"
        )
    if proven_at > at:
        raise IdentityProofInvalid("the document cannot have been seen in the future")
    reason = f"identity of {person.username}: {ProofMethod(method).label}"
    with recording.recording(Action.IDENTITY_PROVEN, actor=actor, at=at, reason=reason):
        return IdentityProof.objects.create(
            person=person,
            method=method,
            document=text,
            proven_by=actor if isinstance(actor, User) else None,
            proven_by_name=actor.full_name
            if isinstance(actor, User)
            else actor.trail_identity().name,
            proven_at=proven_at,
            recorded_at=at,
        )


def withdraw(proof: IdentityProof, *, actor: Actor, at: datetime, reason: str) -> IdentityProof:
    """Withdraw a proof that was found wrong: the person signs nothing until there is another."""
    text = recording.demand_reason(reason)
    _demand_another(proof.person, actor)
    with recording.recording(Action.IDENTITY_PROOF_WITHDRAWN, actor=actor, at=at, reason=text):
        locked = IdentityProof.objects.select_for_update().get(pk=proof.pk)
        if locked.withdrawn_at is not None:
            raise ProofWithdrawn(f"{locked} was withdrawn already")
        locked.withdrawn_at = at
        locked.save(update_fields=["withdrawn_at"])
    return locked


def proof_of(person: User, *, at: datetime) -> IdentityProof | None:
    """Return the newest proof that counts at a moment."""
    return _counting(at).filter(person=person).order_by("-proven_at", "-pk").first()


def is_proven(person: User, *, at: datetime) -> bool:
    return _counting(at).filter(person=person).exists()


def demand_proven(person: User, *, at: datetime) -> None:
    """Pass when the person's identity is established, else raise `IdentityNotProven`."""
    if not is_proven(person, at=at):
        raise IdentityNotProven(
            f"the identity of {person.username} is not established (21 CFR 11.100(b)): quality "
            "assurance records on the person's page what was seen; then sign again"
        )


def unproven(*, at: datetime) -> QuerySet[User]:
    """Return active people with a GMP role whose identity nobody has established."""
    holds = RoleAssignment.objects.filter(
        user=OuterRef("pk"), ended_at=None, role__in=[str(role) for role in GMP]
    )
    return User.objects.filter(
        Exists(holds), ~Exists(_counting(at).filter(person=OuterRef("pk"))), is_active=True
    ).order_by("username")


def _counting(at: datetime) -> QuerySet[IdentityProof]:
    return IdentityProof.objects.filter(
        Q(withdrawn_at=None) | Q(withdrawn_at__gt=at), recorded_at__lte=at
    )


def _demand_another(person: User, actor: Actor) -> None:
    if isinstance(actor, System):  # the installation proves those whom it makes
        return
    authority.demand(actor, Duty.PROVE_IDENTITY)  # type: ignore[arg-type]
    if isinstance(actor, User) and actor.pk == person.pk:
        raise OwnIdentity(f"{person.username} cannot prove their own identity; ask a colleague")
