"""Set passwords, and keep on record who chose each one (21 CFR 11.200(a)(3), 11.300(b))."""

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from compliance.access import authority, sessions
from compliance.access.actions import Action
from compliance.access.duties import Duty
from compliance.access.models import PasswordChange, SessionEnd, User
from compliance.refusals import Refused
from compliance.trail import recording
from compliance.trail.recording import Actor, System


class PasswordTooWeak(Refused):
    code = "password-too-weak"
    status = 422


@dataclass(frozen=True)
class PasswordSource:
    """Where the present password came from, and the last one that somebody else set."""

    is_own: bool
    set_by: str
    changed_at: datetime
    last_reset_at: datetime | None
    last_reset_by: str


def change_password(
    person: User, *, new: str, actor: Actor, at: datetime, reason: str, session: int | None = None
) -> User:
    """Set a new password; one set by an administrator must be changed at the next sign-in.

    All sessions of the person end but `session`, the one in which they change their own.
    """
    own = isinstance(actor, User) and actor.pk == person.pk
    if not own and not isinstance(actor, System):
        authority.demand(actor, Duty.ADMINISTER_ACCESS)  # type: ignore[arg-type]
    demand_strong(new, person)
    with recording.recording(Action.PASSWORD_CHANGED, actor=actor, at=at, reason=reason):
        person.set_password(new)
        person.must_change_password = not own
        person.save(update_fields=["password", "must_change_password"])
        record(person, actor=actor, is_own=own, at=at)
        sessions.end_all(
            person, why=SessionEnd.PASSWORD_CHANGED, at=at, but=session if own else None
        )
    return person


def record(person: User, *, actor: Actor, is_own: bool, at: datetime) -> PasswordChange:
    """Put on record who chose a password, within the act that sets it."""
    who = actor.trail_identity()
    return PasswordChange.objects.create(
        person=person, is_own=is_own, set_by=who.name, set_by_id=who.id, changed_at=at
    )


def source(person: User, *, at: datetime) -> PasswordSource | None:
    """Say where the password that counts at a moment came from; None when nothing is on record."""
    changes = person.password_changes.filter(changed_at__lte=at).order_by("-changed_at", "-pk")
    last = changes.first()
    if last is None:
        return None
    reset = changes.filter(is_own=False).first()
    return PasswordSource(
        is_own=last.is_own,
        set_by=last.set_by,
        changed_at=last.changed_at,
        last_reset_at=reset.changed_at if reset else None,
        last_reset_by=reset.set_by if reset else "",
    )


def password_was_set_by_other(person: User) -> bool:
    """Say whether the present password is one that somebody else chose and so may know."""
    last = person.password_changes.order_by("-changed_at", "-pk").first()
    return person.must_change_password or (last is not None and not last.is_own)


def resets(person: User, *, since: datetime, until: datetime) -> list[PasswordChange]:
    """Return the passwords that somebody else set within a time: evidence beside a signature."""
    return list(
        person.password_changes.filter(
            is_own=False, changed_at__gte=since, changed_at__lte=until
        ).order_by("pk")
    )


def demand_strong(password: str, person: User) -> None:
    """Pass when the password keeps the policy, else raise `PasswordTooWeak`."""
    try:
        validate_password(password, person)
    except ValidationError as error:
        raise PasswordTooWeak(" ".join(error.messages)) from error
