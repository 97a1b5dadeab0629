"""Register clients of the API, rotate and revoke their secrets, and set their scopes."""

import hashlib
import secrets
from datetime import datetime, timedelta

from django.conf import settings

from compliance.access import authority, scopes
from compliance.access.actions import Action
from compliance.access.duties import Duty
from compliance.access.models import ApiClient, ClientSecret, Device
from compliance.refusals import Refused
from compliance.trail import recording
from compliance.trail.recording import Actor, System

MOST_OVERLAP = timedelta(days=30)


class ClientRevoked(Refused):
    """A client that was revoked stays so; register another one."""

    code = "client-revoked"


class DeviceTakesNoClient(Refused):
    """A client is registered for a device that is in use."""

    code = "device-takes-no-client"


class TwoSecretsValid(Refused):
    """Two secrets of the client are valid; revoke the older one first."""

    code = "two-secrets-valid"


class SecretRevoked(Refused):
    """The secret is revoked, or has ended."""

    code = "secret-revoked"


class OverlapTooLong(Refused):
    """An old secret stays valid for 30 days at most."""

    code = "overlap-too-long"
    status = 422


def register(
    device: Device, *, wanted: list[str], actor: Actor, at: datetime, reason: str
) -> tuple[ApiClient, str]:
    """Register a client for a device; its first secret is shown this once."""
    _demand_administrator(actor)
    text = scopes.text(wanted)
    said = recording.demand_reason(reason)
    with recording.recording(Action.CLIENT_REGISTERED, actor=actor, at=at, reason=said):
        locked = Device.objects.select_for_update().get(pk=device.pk)
        if not locked.is_active or locked.qualification == "retired":
            raise DeviceTakesNoClient(f"{locked} is shut out for good; enrol another device")
        client = ApiClient.objects.create(
            client_id=f"c-{secrets.token_hex(8)}",
            device=locked,
            site=settings.LOG_ORIGIN,
            scopes=text,
            created_at=at,
        )
        return client, _secret(client, at)


def set_scopes(
    client: ApiClient, *, wanted: list[str], actor: Actor, at: datetime, reason: str
) -> ApiClient:
    """Say what a client may do; what is taken away, its tokens have lost at their next request."""
    _demand_administrator(actor)
    text = scopes.text(wanted)
    said = recording.demand_reason(reason)
    with recording.recording(Action.CLIENT_SCOPES_SET, actor=actor, at=at, reason=said):
        locked = _locked(client)
        locked.scopes = text
        locked.save(update_fields=["scopes"])
    return locked


def rotate(
    client: ApiClient, *, overlap: timedelta, actor: Actor, at: datetime, reason: str
) -> str:
    """Give a client its next secret; the present one stays valid for the overlap, and then ends."""
    _demand_administrator(actor)
    if not timedelta() <= overlap <= MOST_OVERLAP:
        raise OverlapTooLong(f"an old secret stays valid for {MOST_OVERLAP.days} days at most")
    said = recording.demand_reason(reason)
    with recording.recording(Action.CLIENT_SECRET_ROTATED, actor=actor, at=at, reason=said):
        locked = _locked(client)
        valid = valid_secrets(locked, at=at)
        if len(valid) > 1:
            raise TwoSecretsValid(f"two secrets of {locked} are valid: revoke secret {valid[0].pk}")
        ClientSecret.objects.filter(client=locked, ends_at=None, revoked_at=None).update(
            ends_at=at + overlap
        )
        return _secret(locked, at)


def revoke_secret(secret: ClientSecret, *, actor: Actor, at: datetime, reason: str) -> ClientSecret:
    """Shut a secret out, with every token that was issued on it, at the next request."""
    _demand_administrator(actor)
    said = recording.demand_reason(reason)
    with recording.recording(Action.CLIENT_SECRET_REVOKED, actor=actor, at=at, reason=said):
        locked = ClientSecret.objects.select_for_update().get(pk=secret.pk)
        if not locked.is_valid_at(at):
            raise SecretRevoked(f"secret {locked.pk} is revoked or has ended already")
        locked.revoked_at = at
        locked.save(update_fields=["revoked_at"])
    return locked


def revoke(client: ApiClient, *, actor: Actor, at: datetime, reason: str) -> ApiClient:
    """Shut a client out at its next request, with its secrets and tokens, for good."""
    _demand_administrator(actor)
    said = recording.demand_reason(reason)
    with recording.recording(Action.CLIENT_REVOKED, actor=actor, at=at, reason=said):
        locked = _locked(client)
        locked.revoked_at = at
        locked.save(update_fields=["revoked_at"])
    return locked


def valid_secrets(client: ApiClient, *, at: datetime) -> list[ClientSecret]:
    """Return the secrets that open at a moment, the older first."""
    return [one for one in client.secrets.order_by("pk") if one.is_valid_at(at)]


def digest(text: str) -> str:
    """Return the digest under which a secret or token is kept; both are 256 random bits."""
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()


def _secret(client: ApiClient, at: datetime) -> str:
    secret = secrets.token_urlsafe(32)
    ClientSecret.objects.create(client=client, digest=digest(secret), created_at=at)
    return secret


def _locked(client: ApiClient) -> ApiClient:
    locked = ApiClient.objects.select_for_update().get(pk=client.pk)
    if locked.revoked_at is not None:
        raise ClientRevoked(f"{locked} is revoked; register another client")
    return locked


def _demand_administrator(actor: Actor) -> None:
    if not isinstance(actor, System):
        authority.demand(actor, Duty.ADMINISTER_ACCESS)  # type: ignore[arg-type]
