"""Create people, and change what they may do."""

from datetime import datetime

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from compliance.access import authority, duties
from compliance.access.actions import Action
from compliance.access.duties import Duty, Role
from compliance.access.models import RoleAssignment, User
from compliance.refusals import Refused
from compliance.trail import recording
from compliance.trail.recording import Actor, System


class NameTaken(Refused):
    """Identities are never reused, whatever their case (21 CFR 11.100(a), 11.300(a))."""

    code = "name-taken"


class PasswordTooWeak(Refused):
    code = "password-too-weak"
    status = 422


class RolesConflict(Refused):
    """Segregation of duties: the roles exclude each other."""

    code = "roles-conflict"


def create(
    *, username: str, full_name: str, password: str, roles: frozenset[str], actor: Actor, at: datetime,
    reason: str, must_change_password: bool = True,
) -> User:  # fmt: skip
    """Create a person with their first roles; raise `NameTaken`, `PasswordTooWeak`, `RolesConflict`."""
    _demand_administrator(actor)
    if User.objects.filter(username__iexact=username).exists():
        raise NameTaken(f"{username} belongs to a person already; identities are never reused")
    _demand_compatible(roles)
    person = User(
        username=username,
        full_name=full_name,
        created_at=at,
        must_change_password=must_change_password,
    )
    _demand_strong(password, person)
    person.set_password(password)
    with recording.recording(Action.PERSON_CREATED, actor=actor, at=at, reason=reason):
        person.save()
        for role in sorted(roles):
            RoleAssignment.objects.create(user=person, role=role, granted_at=at)
    return person


def grant(person: User, *, role: Role, actor: Actor, at: datetime, reason: str) -> RoleAssignment:
    """Give a person one more role; raise `RolesConflict` where it must not be held with another."""
    _demand_administrator(actor)
    text = recording.demand_reason(reason)
    with recording.recording(Action.ROLE_GRANTED, actor=actor, at=at, reason=text):
        # Lock the person: two administrators granting at once must see each other's role.
        User.objects.select_for_update().get(pk=person.pk)
        held = frozenset(
            person.role_assignments.filter(ended_at=None).values_list("role", flat=True)
        )
        _demand_compatible(held | {str(role)})
        try:
            with transaction.atomic():
                return RoleAssignment.objects.create(user=person, role=role, granted_at=at)
        except IntegrityError as error:
            raise RolesConflict(f"{person.username} holds the role {role} already") from error


def end_role(
    assignment: RoleAssignment, *, actor: Actor, at: datetime, reason: str
) -> RoleAssignment:
    """Take a role away; it stays on record with its time."""
    _demand_administrator(actor)
    text = recording.demand_reason(reason)
    with recording.recording(Action.ROLE_ENDED, actor=actor, at=at, reason=text):
        assignment.ended_at = at
        assignment.save(update_fields=["ended_at"])
    return assignment


def deactivate(person: User, *, actor: Actor, at: datetime, reason: str) -> User:
    """Shut a person out; open sessions fail at their next request."""
    _demand_administrator(actor)
    text = recording.demand_reason(reason)
    with recording.recording(Action.PERSON_DEACTIVATED, actor=actor, at=at, reason=text):
        person.is_active = False
        person.save(update_fields=["is_active"])
    return person


def change_password(person: User, *, new: str, actor: Actor, at: datetime, reason: str) -> User:
    """Set a new password; one set by an administrator must be changed at the next sign-in."""
    own = isinstance(actor, User) and actor.pk == person.pk
    if not own:
        _demand_administrator(actor)
    _demand_strong(new, person)
    with recording.recording(Action.PASSWORD_CHANGED, actor=actor, at=at, reason=reason):
        person.set_password(new)
        person.must_change_password = not own
        person.save(update_fields=["password", "must_change_password"])
    return person


def _demand_administrator(actor: Actor) -> None:
    if isinstance(actor, System):  # the first administrator is made by the installation
        return
    authority.demand(actor, Duty.ADMINISTER_ACCESS)  # type: ignore[arg-type]


def _demand_compatible(roles: frozenset[str]) -> None:
    if why := duties.conflict(roles):
        raise RolesConflict(
            f"these roles cannot be held together: {', '.join(sorted(roles))}; {why}"
        )


def _demand_strong(password: str, person: User) -> None:
    try:
        validate_password(password, person)
    except ValidationError as error:
        raise PasswordTooWeak(" ".join(error.messages)) from error
