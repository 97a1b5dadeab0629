"""Enrol the systems that post, qualify them, and recognise them by their token."""

import hashlib
import hmac
import secrets
from datetime import date, datetime

from compliance.access import alarms, authority
from compliance.access.actions import Action
from compliance.access.duties import Duty
from compliance.access.models import AlarmKind, Device, DeviceKind, Qualification, User
from compliance.refusals import Refused
from compliance.trail import recording
from compliance.trail.recording import Actor, System
from compliance.trail.refusals import Unidentified
from compliance.written_once import Lookup

_numbered = Lookup(Device, "id")


class DeviceKnown(Refused):
    code = "device-known"


class DeviceRevoked(Refused):
    code = "device-revoked"


class DeviceRetired(Refused):
    code = "device-retired"


class DeviceNotBound(Refused):
    """A device speaks for one piece of equipment."""

    code = "device-not-bound"
    status = 422


class QualificationEndsInThePast(Refused):
    """A qualification lasts until today at the least."""

    code = "qualification-ends-in-the-past"
    status = 422


class DeviceNotQualified(Refused):
    """Only a device in its qualified state posts (21 CFR 11.10(h))."""

    code = "device-not-qualified"
    status = 403


def enrol(
    *, name: str, kind: DeviceKind, actor: Actor, at: datetime, reason: str, bound_to: str = ""
) -> tuple[Device, str]:
    """Enrol a device; the token is shown this once and kept as a digest only.

    It posts nothing before somebody of quality has qualified it.
    """
    _demand_administrator(actor)
    if Device.objects.filter(name=name).exists():
        raise DeviceKnown(f"{name} is enrolled already; renew its token instead")
    secret = secrets.token_urlsafe(32)
    with recording.recording(Action.DEVICE_ENROLLED, actor=actor, at=at, reason=reason):
        device = Device.objects.create(
            name=name,
            kind=kind,
            secret_digest=_digest(secret),
            enrolled_at=at,
            bound_to=bound_to.strip(),
        )
    return device, f"{device.pk}.{secret}"


def qualify(
    device: Device, *, actor: Actor, at: datetime, reason: str, bound_to: str = "",
    until: date | None = None,
) -> Device:  # fmt: skip
    """Let a device post for one piece of equipment, until a day; the reason names the evidence."""
    _demand_quality(actor)
    text = recording.demand_reason(reason)
    with recording.recording(Action.DEVICE_QUALIFIED, actor=actor, at=at, reason=text):
        locked = _locked(device)
        locked.bound_to = bound_to.strip() or locked.bound_to
        if not locked.bound_to:
            raise DeviceNotBound(f"say which equipment or system {locked} speaks for")
        if until is not None and until < at.date():
            raise QualificationEndsInThePast(
                f"the qualification of {locked} cannot end before today, {at.date()}"
            )
        locked.qualification = Qualification.QUALIFIED
        locked.qualified_until = until
        locked.qualified_by = actor if isinstance(actor, User) else None
        locked.qualified_at = at
        locked.save()
    return locked


def disqualify(
    device: Device, *, actor: Actor, at: datetime, reason: str, for_good: bool = False
) -> Device:
    """Take the qualification back; `for_good` retires the device."""
    _demand_quality(actor)
    text = recording.demand_reason(reason)
    with recording.recording(Action.DEVICE_QUALIFIED, actor=actor, at=at, reason=text):
        locked = _locked(device)
        locked.qualification = Qualification.RETIRED if for_good else Qualification.UNQUALIFIED
        locked.save(update_fields=["qualification"])
    return locked


def renew_token(device: Device, *, actor: Actor, at: datetime, reason: str) -> str:
    """Replace a device's secret; the old one fails at the next request."""
    _demand_administrator(actor)
    secret = secrets.token_urlsafe(32)
    text = recording.demand_reason(reason)
    with recording.recording(Action.DEVICE_ENROLLED, actor=actor, at=at, reason=text):
        locked = _locked(device)
        locked.secret_digest = _digest(secret)
        locked.save(update_fields=["secret_digest"])
    return f"{device.pk}.{secret}"


def revoke(device: Device, *, actor: Actor, at: datetime, reason: str) -> Device:
    """Shut a device out at its next request, for good."""
    _demand_administrator(actor)
    text = recording.demand_reason(reason)
    with recording.recording(Action.DEVICE_REVOKED, actor=actor, at=at, reason=text):
        locked = Device.objects.select_for_update().get(pk=device.pk)
        if not locked.is_active:
            raise DeviceRevoked(f"{locked} is revoked already")
        locked.is_active = False
        locked.save(update_fields=["is_active"])
    return locked


def by_token(token: str) -> Device | None:
    """Return the device that this token belongs to, when it is neither revoked nor retired."""
    device = _named_in(token)
    if device is None or _is_out(device) or not _fits(device, token):
        return None
    return device


def _is_out(device: Device) -> bool:
    return not device.is_active or device.qualification == Qualification.RETIRED


def objection(device: Device, *, at: datetime) -> str | None:
    """Say why a device may not post at a moment, or None."""
    if not device.is_active:
        return "is revoked"
    if device.qualification != Qualification.QUALIFIED:
        return f"is {device.get_qualification_display().lower()}"
    if device.qualified_until is not None and device.qualified_until < at.date():
        return f"was qualified until {device.qualified_until}"
    return None


def demand_qualified(device: Device, *, at: datetime) -> None:
    """Pass when the device may post, else raise an alarm and `DeviceNotQualified`."""
    if why := objection(device, at=at):
        text = f"{device.name} (for {device.bound_to or 'nothing'}) {why}, and tried to post"
        alarms.raise_(
            AlarmKind.DEVICE_NOT_QUALIFIED,
            text,
            about=device,
            at=at,
            once=f"{why} {at:%Y-%m-%d %H}",
        )
        raise DeviceNotQualified(f"{device.name} {why}; quality assurance qualifies it first")


def report_token(token: str, *, address: str, at: datetime) -> None:
    """Raise an alarm for a token that was refused: a revoked device's, or nobody's (11.300(d))."""
    device = _named_in(token)
    once = f"{address} {at:%Y-%m-%d %H}"
    if device is not None and _is_out(device) and _fits(device, token):
        how = "retired" if device.is_active else "revoked"
        alarms.raise_(
            AlarmKind.REVOKED_TOKEN, f"{device.name} is {how}, and its token was used",
            about=device, address=address, at=at, once=once,
        )  # fmt: skip
        return
    text = "a token that belongs to no device was used"
    if device is not None:
        text = f"a wrong token of {device.name} was used: guessed, or an old one"
    alarms.raise_(
        AlarmKind.UNKNOWN_TOKEN, text, about=device or Unidentified(address), address=address,
        at=at, once=once,
    )  # fmt: skip


def _named_in(token: str) -> Device | None:
    number, _, _ = token.partition(".")
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        return None
    return _numbered(int(number))


def _fits(device: Device, token: str) -> bool:
    return hmac.compare_digest(device.secret_digest, _digest(token.partition(".")[2]))


def _locked(device: Device) -> Device:
    locked = Device.objects.select_for_update().get(pk=device.pk)
    if not locked.is_active:
        raise DeviceRevoked(f"{locked} is revoked; enrol another device")
    if locked.qualification == Qualification.RETIRED:
        raise DeviceRetired(f"{locked} is retired; enrol another device")
    return locked


def _demand_administrator(actor: Actor) -> None:
    if not isinstance(actor, System):
        authority.demand(actor, Duty.ADMINISTER_ACCESS)  # type: ignore[arg-type]


def _demand_quality(actor: Actor) -> None:
    if not isinstance(actor, System):
        authority.demand(actor, Duty.QUALIFY_EQUIPMENT)  # type: ignore[arg-type]


def _digest(secret: str) -> str:
    # surrogates cannot come from a header, but a caller may pass them
    return hashlib.sha256(
        secret.encode(errors="replace")
    ).hexdigest()  # 256 random bits: no slow hash
