"""Create people, and change what they may do."""

from datetime import date, datetime

from django.db import IntegrityError, transaction
from django.db.models import QuerySet, Value

from compliance.access import alarms, authority, duties, look_alikes, passwords, sessions
from compliance.access.actions import Action
from compliance.access.duties import LABELS, Duty, Role
from compliance.access.models import AlarmKind, RoleAssignment, SessionEnd, User
from compliance.access.passwords import PasswordTooWeak, change_password, password_was_set_by_other
from compliance.refusals import Refused
from compliance.trail import recording
from compliance.trail.recording import Actor, System

__all__ = [
    "NameLooksAlike", "NameNotPlain", "NameTaken", "OwnRoles", "PasswordTooWeak", "PersonInactive",
    "RolesConflict", "change_password", "create", "deactivate", "end_role", "grant",
    "leavers_still_active", "password_was_set_by_other", "record_leaving",
]  # fmt: skip


class NameTaken(Refused):
    """Identities are never reused, whatever their case (21 CFR 11.100(a), 11.300(a))."""

    code = "name-taken"


class NameLooksAlike(Refused):
    """Two people must not sign under names that read the same."""

    code = "name-looks-alike"


class NameNotPlain(Refused):
    """A name is made of letters that a reader sees."""

    code = "name-not-plain"
    status = 422


class RolesConflict(Refused):
    """Segregation of duties: the roles exclude each other."""

    code = "roles-conflict"


class RoleEnded(Refused):
    code = "role-ended"


class OwnRoles(Refused):
    """Nobody decides what they themselves may do."""

    code = "own-roles"
    status = 403


class PersonInactive(Refused):
    code = "person-inactive"


def create(
    *, username: str, full_name: str, password: str, roles: frozenset[str], actor: Actor, at: datetime,
    reason: str, must_change_password: bool = True,
) -> User:  # fmt: skip
    """Create a person with their first roles.

    Raise `NameTaken`, `NameLooksAlike`, `NameNotPlain`, `PasswordTooWeak` or `RolesConflict`.
    """
    _demand_administrator(actor)
    printed = _printed(full_name)
    _demand_new(username, printed)
    _demand_compatible(roles)
    person = User(
        username=username,
        full_name=printed,
        created_at=at,
        must_change_password=must_change_password,
    )
    passwords.demand_strong(password, person)
    person.set_password(password)
    with recording.recording(Action.PERSON_CREATED, actor=actor, at=at, reason=reason):
        try:
            with transaction.atomic():
                person.save()
        except IntegrityError as error:  # somebody else was first
            raise NameTaken(f"{username} was given to a person a moment ago") from error
        passwords.record(person, actor=actor, is_own=not must_change_password, at=at)
        for role in sorted(roles):
            _assign(person, Role(role), actor=actor, at=at)
    return person


def grant(person: User, *, role: Role, actor: Actor, at: datetime, reason: str) -> RoleAssignment:
    """Give a person one more role; raise `RolesConflict` where it must not be held with another.

    The person has to sign in again. Raise `OwnRoles` when it is the actor.
    """
    _demand_administrator(actor)
    _demand_another(person, actor)
    text = recording.demand_reason(reason)
    with recording.recording(Action.ROLE_GRANTED, actor=actor, at=at, reason=text):
        # Lock the person: two administrators granting at once must see each other's role.
        locked = User.objects.select_for_update().get(pk=person.pk)
        if not locked.is_active:
            raise PersonInactive(f"{locked.username} is deactivated and gets no role")
        held = frozenset(
            person.role_assignments.filter(ended_at=None).values_list("role", flat=True)
        )
        _demand_compatible(held | {str(role)})
        if role in held:
            raise RolesConflict(f"{person.username} holds the role {role} already")
        sessions.end_all(person, why=SessionEnd.ROLES_CHANGED, at=at)
        return _assign(person, role, actor=actor, at=at)


def end_role(
    assignment: RoleAssignment, *, actor: Actor, at: datetime, reason: str
) -> RoleAssignment:
    """Take a role away; it stays on record with its time. The person has to sign in again."""
    _demand_administrator(actor)
    _demand_another(assignment.user, actor)
    text = recording.demand_reason(reason)
    with recording.recording(Action.ROLE_ENDED, actor=actor, at=at, reason=text):
        # The person first: whoever signs in this role at this moment is through, or sees it gone.
        User.objects.select_for_update().get(pk=assignment.user_id)
        locked = RoleAssignment.objects.select_for_update().get(pk=assignment.pk)
        if locked.ended_at is not None:
            raise RoleEnded(f"{locked} ended already")
        locked.ended_at = at
        locked.save(update_fields=["ended_at"])
        sessions.end_all(locked.user, why=SessionEnd.ROLES_CHANGED, at=at)
    return locked


def deactivate(person: User, *, actor: Actor, at: datetime, reason: str) -> User:
    """Shut a person out; open sessions fail at their next request."""
    _demand_administrator(actor)
    text = recording.demand_reason(reason)
    with recording.recording(Action.PERSON_DEACTIVATED, actor=actor, at=at, reason=text):
        locked = User.objects.select_for_update().get(pk=person.pk)
        if not locked.is_active:
            raise PersonInactive(f"{locked.username} is deactivated already")
        locked.is_active = False
        locked.save(update_fields=["is_active"])
        sessions.end_all(locked, why=SessionEnd.DEACTIVATED, at=at)
    person.is_active = False
    return locked


def record_leaving(
    person: User, *, last_day: date | None, actor: Actor, at: datetime, reason: str
) -> User:
    """Record a person's last day at work (or None: stays on); after it the account must go."""
    if not isinstance(actor, System):
        authority.demand_one(actor, Duty.ADMINISTER_ACCESS, Duty.REVIEW_ACCESS)  # type: ignore[arg-type]
    text = recording.demand_reason(reason)
    with recording.recording(Action.LEAVING_RECORDED, actor=actor, at=at, reason=text):
        locked = User.objects.select_for_update().get(pk=person.pk)
        locked.leaves_on = last_day
        locked.save(update_fields=["leaves_on"])
    return locked


def leavers_still_active(*, on: date) -> QuerySet[User]:
    """Return whose last day is over and who could still sign in: a finding (draft Annex 11, 11)."""
    return User.objects.filter(is_active=True, leaves_on__lt=on).order_by("leaves_on", "username")


def _assign(person: User, role: Role, *, actor: Actor, at: datetime) -> RoleAssignment:
    if role == Role.SYSTEM_ADMINISTRATOR and not isinstance(actor, System):
        # Whoever may change everything is never made by one person unseen: a second one, neither
        # of the two, acknowledges. Within this act: no alarm of what was rolled back.
        alarms.raise_(
            AlarmKind.ADMINISTRATOR_MADE,
            f"{actor.trail_identity().name} made {person.username} a {LABELS[role].lower()}",
            about=person, caused_by=actor, at=at, using="default",
        )  # fmt: skip
    return RoleAssignment.objects.create(user=person, role=role, granted_at=at)


def _printed(full_name: str) -> str:
    printed = look_alikes.plain(full_name)
    if not printed:
        raise NameNotPlain("a person has a name, as printed with a signature")
    if hidden := look_alikes.hidden_signs(printed):
        raise NameNotPlain(f"the name has signs that no reader sees: {', '.join(hidden)}")
    return printed


def _demand_new(username: str, full_name: str) -> None:
    if User.objects.filter(username__iexact=username).exists():
        raise NameTaken(f"{username} belongs to a person already; identities are never reused")
    for field, given, advice in (
        ("username", username, "choose another user name"),
        ("full_name", full_name, "add a middle name or the department, in brackets"),
    ):
        people = User.objects.annotate(skeleton=look_alikes.skeleton(field))
        if other := people.filter(skeleton=look_alikes.skeleton(Value(given))).first():
            raise NameLooksAlike(f"{given} reads like {getattr(other, field)}; {advice}")


def _demand_administrator(actor: Actor) -> None:
    if isinstance(actor, System):  # the first administrator is made by the installation
        return
    authority.demand(actor, Duty.ADMINISTER_ACCESS)  # type: ignore[arg-type]


def _demand_another(person: User, actor: Actor) -> None:
    if isinstance(actor, User) and actor.pk == person.pk:
        raise OwnRoles("nobody changes their own roles; ask another administrator")


def _demand_compatible(roles: frozenset[str]) -> None:
    if why := duties.conflict(roles):
        raise RolesConflict(
            f"these roles cannot be held together: {', '.join(sorted(roles))}; {why}"
        )
