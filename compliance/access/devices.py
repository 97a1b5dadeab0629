"""Enrol the systems that post, and recognise them by their token."""

import hashlib
import hmac
import secrets
from datetime import datetime

from compliance.access import authority
from compliance.access.actions import Action
from compliance.access.duties import Duty
from compliance.access.models import Device, DeviceKind
from compliance.refusals import Refused
from compliance.trail import recording
from compliance.trail.recording import Actor, System


class DeviceKnown(Refused):
    code = "device-known"


def enrol(
    *, name: str, kind: DeviceKind, actor: Actor, at: datetime, reason: str
) -> tuple[Device, str]:
    """Enrol a device; the token is shown this once and kept as a digest only."""
    if not isinstance(actor, System):
        authority.demand(actor, Duty.ADMINISTER_ACCESS)  # type: ignore[arg-type]
    if Device.objects.filter(name=name).exists():
        raise DeviceKnown(f"{name} is enrolled already; renew its token instead")
    secret = secrets.token_urlsafe(32)
    with recording.recording(Action.DEVICE_ENROLLED, actor=actor, at=at, reason=reason):
        device = Device.objects.create(
            name=name, kind=kind, secret_digest=_digest(secret), enrolled_at=at
        )
    return device, f"{device.pk}.{secret}"


def renew_token(device: Device, *, actor: Actor, at: datetime, reason: str) -> str:
    """Replace a device's secret; the old one fails at the next request."""
    if not isinstance(actor, System):
        authority.demand(actor, Duty.ADMINISTER_ACCESS)  # type: ignore[arg-type]
    secret = secrets.token_urlsafe(32)
    with recording.recording(
        Action.DEVICE_ENROLLED, actor=actor, at=at, reason=recording.demand_reason(reason)
    ):
        device.secret_digest = _digest(secret)
        device.save(update_fields=["secret_digest"])
    return f"{device.pk}.{secret}"


def revoke(device: Device, *, actor: Actor, at: datetime, reason: str) -> Device:
    """Shut a device out at its next request."""
    if not isinstance(actor, System):
        authority.demand(actor, Duty.ADMINISTER_ACCESS)  # type: ignore[arg-type]
    with recording.recording(
        Action.DEVICE_REVOKED, actor=actor, at=at, reason=recording.demand_reason(reason)
    ):
        device.is_active = False
        device.save(update_fields=["is_active"])
    return device


def by_token(token: str) -> Device | None:
    """Return the active device that this token belongs to, else None."""
    number, _, secret = token.partition(".")
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        return None
    device = Device.objects.filter(pk=int(number), is_active=True).first()
    if device is None or not hmac.compare_digest(device.secret_digest, _digest(secret)):
        return None
    return device


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()  # 256 random bits need no slow hash
