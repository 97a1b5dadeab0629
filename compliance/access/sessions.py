"""Keep the sessions of people: open them, ask whether they still stand, and end them."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import QuerySet

from compliance.access import authority
from compliance.access.actions import Action
from compliance.access.duties import Duty
from compliance.access.models import PersonSession, SessionEnd, User
from compliance.refusals import Refused
from compliance.trail import recording
from compliance.trail.recording import Actor, System

ACCESS = System("access")


class SessionEnded(Refused):
    code = "session-ended"


def open_(person: User, *, address: str, agent: str, at: datetime) -> PersonSession:
    """Put a session on record; called once after its sign-in."""
    with recording.recording(
        Action.SESSION_OPENED, actor=person, at=at, reason="signed in", using="default"
    ):
        return PersonSession.objects.create(
            person=person, opened_at=at, address=address[:64], agent=_plain(agent)
        )


def objection(
    session: PersonSession, *, last_seen: datetime | None, at: datetime
) -> SessionEnd | None:
    """Say why a session must end now, or None; nobody but the installation sets the limits."""
    if session.ended_at is not None:
        return SessionEnd(session.ended_why)
    if at - session.opened_at > timedelta(seconds=settings.SESSION_LIMIT_SECONDS):
        return SessionEnd.LIMIT
    if last_seen is not None and at - last_seen > timedelta(seconds=settings.SESSION_IDLE_SECONDS):
        return SessionEnd.IDLE
    return None


def end(
    session: PersonSession, *, why: SessionEnd, actor: Actor, at: datetime, reason: str = ""
) -> PersonSession:
    """End a session; one that has ended stays as it ended."""
    with recording.recording(Action.SESSION_ENDED, actor=actor, at=at, reason=reason or why.label):
        locked = PersonSession.objects.select_for_update().get(pk=session.pk)
        if locked.ended_at is None:
            locked.ended_at = max(at, locked.opened_at)
            locked.ended_why = why
            locked.save(update_fields=["ended_at", "ended_why"])
    return locked


def end_all(person: User, *, why: SessionEnd, at: datetime, but: int | None = None) -> int:
    """End every open session of a person, within the caller's act; return how many."""
    found = PersonSession.objects.select_for_update().filter(person=person, ended_at=None)
    ended = 0
    for session in found.order_by("pk"):
        if session.pk == but:
            continue
        session.ended_at = max(at, session.opened_at)
        session.ended_why = why
        session.save(update_fields=["ended_at", "ended_why"])
        ended += 1
    return ended


def revoke(session: PersonSession, *, actor: User, at: datetime, reason: str) -> PersonSession:
    """End somebody's session from outside; it fails at its next request. Raise `SessionEnded`."""
    if actor.pk != session.person_id:
        authority.demand(actor, Duty.ADMINISTER_ACCESS)
    text = recording.demand_reason(reason)
    if PersonSession.objects.filter(pk=session.pk, ended_at__isnull=False).exists():
        raise SessionEnded(f"the session of {session} has ended already")
    return end(session, why=SessionEnd.REVOKED, actor=actor, at=at, reason=text)


def standing(*, at: datetime) -> QuerySet[PersonSession]:
    """Return the sessions that may still be used, newest first."""
    since = at - timedelta(seconds=settings.SESSION_LIMIT_SECONDS)
    return (
        PersonSession.objects.filter(ended_at=None, opened_at__gt=since)
        .select_related("person")
        .order_by("-opened_at", "-pk")
    )


def _plain(text: str) -> str:
    return text.replace("\0", "\ufffd").encode(errors="replace").decode()[:200]
