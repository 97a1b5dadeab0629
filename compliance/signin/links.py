"""Link people to their identities at identity providers; nobody is signed up by one."""

from datetime import datetime

from django.db import DatabaseError, transaction

from compliance.access import authority
from compliance.access.duties import Duty
from compliance.access.models import User
from compliance.refusals import Refused
from compliance.signin.actions import Action
from compliance.signin.models import IdentityLink
from compliance.trail import recording


class IdentityTaken(Refused):
    """An identity belongs to one person, for ever (21 CFR 11.100(a))."""

    code = "identity-taken"


class OwnLink(Refused):
    """Nobody lets themselves in by another way."""

    code = "own-link"
    status = 403


class LinkEnded(Refused):
    code = "link-ended"


def link(
    person: User, *, provider: str, subject: str, actor: User, at: datetime, reason: str
) -> IdentityLink:
    """Let a person sign in by an identity; raise `IdentityTaken` when it is, or was, another's."""
    authority.demand(actor, Duty.ADMINISTER_ACCESS)
    if actor.pk == person.pk:
        raise OwnLink("nobody links their own identity; ask another administrator")
    text = recording.demand_reason(reason)
    known = IdentityLink.objects.filter(provider=provider, subject=subject)
    if other := known.exclude(person=person).first() or known.filter(ended_at=None).first():
        raise IdentityTaken(f"{subject} at {provider} is, or was, {other.person.username}'s")
    with recording.recording(Action.IDENTITY_LINKED, actor=actor, at=at, reason=text):
        try:
            with transaction.atomic():
                return IdentityLink.objects.create(
                    person=person,
                    provider=provider,
                    subject=subject,
                    linked_at=at,
                    linked_by=actor.username,
                )
        except DatabaseError as error:  # somebody linked it at the same moment
            raise IdentityTaken(f"{subject} at {provider} was linked a moment ago") from error


def end(found: IdentityLink, *, actor: User, at: datetime, reason: str) -> IdentityLink:
    """End a link; it stays on record."""
    authority.demand(actor, Duty.ADMINISTER_ACCESS)
    text = recording.demand_reason(reason)
    with recording.recording(Action.IDENTITY_UNLINKED, actor=actor, at=at, reason=text):
        locked = IdentityLink.objects.select_for_update().get(pk=found.pk)
        if locked.ended_at is not None:
            raise LinkEnded(f"{locked} ended already")
        locked.ended_at = at
        locked.save(update_fields=["ended_at"])
    return locked


def person_of(*, provider: str, subject: str) -> User | None:
    """Return the active person whom an identity signs in, or None."""
    found = (
        IdentityLink.objects.select_related("person")
        .filter(provider=provider, subject=subject, ended_at=None, person__is_active=True)
        .first()
    )
    return found.person if found else None
