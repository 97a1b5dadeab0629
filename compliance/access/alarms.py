"""Raise what somebody responsible must know at once, and acknowledge it (21 CFR 11.300(d))."""

import hashlib
import uuid
from datetime import datetime

from django.db.models import QuerySet

from compliance.access import authority
from compliance.access.actions import Action
from compliance.access.duties import Duty
from compliance.access.models import AlarmKind, SecurityAlarm, User
from compliance.refusals import Refused
from compliance.trail import recording, refusals
from compliance.trail.recording import Actor, System

ACCESS = System("access")


class AlarmAcknowledged(Refused):
    code = "alarm-acknowledged"


class OwnAlarm(Refused):
    """Nobody acknowledges an alarm about themselves."""

    code = "own-alarm"
    status = 403


def raise_(
    kind: AlarmKind, text: str, *, about: Actor, at: datetime, caused_by: Actor | None = None,
    address: str = "", once: str = "", using: str = "",
) -> SecurityAlarm:  # fmt: skip
    """Raise an alarm; by default it is committed also when what the caller does rolls back.

    `once` names what happened: the same again (of the same kind, about the same) is the same alarm.
    """
    using = using or refusals.ALIAS
    who = about.trail_identity()
    name = who.id if who.id != "unidentified" else f"unidentified:{who.name.lower()}"
    alarm = SecurityAlarm(
        kind=kind,
        text=_plain(text, 2000),
        about_id=_plain(name, 100),
        about=_plain(who.name, 200),
        caused_by_id=caused_by.trail_identity().id if caused_by else "",
        address=_plain(address, 64),
        raised_at=at,
        key=_key(kind, name, once),
    )
    known = SecurityAlarm.objects.using(using).filter(key=alarm.key).first()
    if known is not None:
        return known
    with recording.recording(
        Action.ALARM_RAISED, actor=ACCESS, at=at, reason=AlarmKind(kind).label, using=using
    ):
        SecurityAlarm.objects.using(using).bulk_create([alarm], ignore_conflicts=True)
        return SecurityAlarm.objects.using(using).get(key=alarm.key)


def acknowledge(alarm: SecurityAlarm, *, comment: str, actor: User, at: datetime) -> SecurityAlarm:
    """Say that the alarm was seen and what follows; raise `OwnAlarm`, `AlarmAcknowledged`."""
    authority.demand(actor, Duty.ACKNOWLEDGE_ALARM)
    text = recording.demand_reason(comment)
    with recording.recording(Action.ALARM_ACKNOWLEDGED, actor=actor, at=at, reason=text):
        locked = SecurityAlarm.objects.select_for_update().get(pk=alarm.pk)
        if f"user:{actor.pk}" in {locked.about_id, locked.caused_by_id}:
            raise OwnAlarm(f"{locked} concerns {actor.username}; ask a colleague to acknowledge it")
        if not locked.is_waiting:
            raise AlarmAcknowledged(f"{locked} was acknowledged by {locked.acknowledged_by}")
        locked.acknowledged_by = actor
        locked.acknowledged_role = actor.role_names
        locked.acknowledged_at = at
        locked.comment = text
        locked.save(
            update_fields=["acknowledged_by", "acknowledged_role", "acknowledged_at", "comment"]
        )
    return locked


def waiting() -> QuerySet[SecurityAlarm]:
    """Return the alarms that nobody has acknowledged, oldest first."""
    return SecurityAlarm.objects.filter(acknowledged_at=None).order_by("raised_at", "pk")


def waiting_since(before: datetime) -> QuerySet[SecurityAlarm]:
    """Return the alarms raised before a moment that still wait: a finding for the inspector."""
    return waiting().filter(raised_at__lt=before)


def _key(kind: str, about: str, once: str) -> str:
    if not once:
        return uuid.uuid4().hex
    return hashlib.sha256("\0".join((kind, about, once)).encode()).hexdigest()


def _plain(text: str, most: int) -> str:
    """Return text that can be stored: it may repeat what a stranger sent."""
    return text.replace("\0", "\ufffd").encode(errors="replace").decode()[:most]
