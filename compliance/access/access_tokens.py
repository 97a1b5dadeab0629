"""Issue access tokens to clients, and recognise the client by its token (RFC 6749 4.4, RFC 6750)."""

import hmac
import re
import secrets
from datetime import datetime, timedelta

from django.conf import settings

from compliance.access import alarms, clients, credentials, devices, scopes
from compliance.access.actions import Action
from compliance.access.models import (
    AccessToken,
    AlarmKind,
    ApiClient,
    ClientSecret,
    Device,
    SignInOutcome,
)
from compliance.refusals import Refused
from compliance.trail import recording
from compliance.trail.refusals import Unidentified
from compliance.written_once import Lookup

_tokens, _secrets = Lookup(AccessToken, "digest"), Lookup(ClientSecret, "id")
_clients, _devices = Lookup(ApiClient, "id"), Lookup(Device, "id")
PREFIX = "at_"
PURPOSE = "token"
_VISIBLE = re.compile(r"[\x21-\x7e]{1,200}")


class ClientWrong(Refused):
    """The client is not known, is revoked or of another site, or the secret is not its own."""

    code = "client-wrong"
    status = 401


class ScopeNotGranted(Refused):
    """A client asks for a scope that it was not given."""

    code = "scope-not-granted"
    status = 400


def issue(
    *, client_id: str, secret: str, wanted: list[str], address: str, at: datetime
) -> tuple[AccessToken, str]:
    """Return a token for whoever has a client's secret; it is shown this once.

    Wrong secrets are counted and lock the client, as wrong passwords lock a person's name. What is
    wrong is recorded in a connection of its own, and stays when the caller rolls back.
    """
    name = f"client:{client_id if _VISIBLE.fullmatch(client_id) else 'unreadable'}"
    credentials.demand_unlocked(name, purpose=PURPOSE, address=address, at=at)
    client = _client(client_id)
    fitting = _fitting(client, secret) if client else None
    if client is None or fitting is None or _is_shut_out(client, fitting, at=at):
        about = client.device if client else Unidentified(name)
        if client and fitting:
            _report_dead(client, f"a secret of {client} that is not valid was used", address, at)
        credentials.counted(
            name, about, purpose=PURPOSE, outcome=SignInOutcome.WRONG, address=address, at=at
        )
        raise credentials.kept(ClientWrong("this client and secret do not open"), name, PURPOSE, at)
    devices.demand_qualified(client.device, at=at)
    given = _granted(client, wanted)
    credentials.counted(
        name, client.device, purpose=PURPOSE, outcome=SignInOutcome.ACCEPTED, address=address, at=at
    )
    text = PREFIX + secrets.token_urlsafe(32)
    lasts = timedelta(seconds=settings.ACCESS_TOKEN_SECONDS)
    with recording.recording(
        Action.ACCESS_TOKEN_ISSUED, actor=client.device, at=at, reason=f"to {client}, on its secret"
    ):
        token = AccessToken.objects.create(
            secret=fitting,
            digest=clients.digest(text),
            scopes=given,
            address=address[:64],
            issued_at=at,
            expires_at=at + lasts,
        )
    return token, text


def by_token(text: str, *, at: datetime) -> AccessToken | None:
    """Return the token when it opens at a moment, with its device; else None."""
    token = _known(text)
    return token if token is not None and _objection(token, at=at) is None else None


def device_of(token: AccessToken) -> Device:
    return token.secret.client.device


def may(token: AccessToken, scope: str) -> bool:
    """Say whether a token has a scope; what the client has lost since, the token has lost too."""
    return scope in token.scopes.split() and scope in token.secret.client.scope_list


def report(text: str, *, address: str, at: datetime) -> None:
    """Raise an alarm for a token that was refused, unless it has only run out (11.300(d))."""
    token = _known(text)
    if token is None:
        alarms.raise_(
            AlarmKind.UNKNOWN_TOKEN, "an access token that was never issued was used",
            about=Unidentified(address), address=address, at=at, once=_hourly(address, at),
        )  # fmt: skip
    elif (why := _objection(token, at=at)) and token.expires_at > at:
        client = token.secret.client
        _report_dead(client, f"an access token of {client} was used, which {why}", address, at)


def _known(text: str) -> AccessToken | None:
    """Return the token with all that it hangs on: four questions cost a fourth of one for a join.

    Each sees what was committed before it: what is revoked is revoked at once.
    """
    token = _tokens(clients.digest(text))
    secret = _secrets(token.secret_id) if token else None
    client = _clients(secret.client_id) if secret else None
    device = _devices(client.device_id) if client else None
    if token and secret and client and device:
        token.secret, secret.client, client.device = secret, client, device
        return token
    return None


def _objection(token: AccessToken, *, at: datetime) -> str | None:
    """Say why a token does not open: it dies with its secret, its client and its device."""
    if at >= token.expires_at:
        return "has run out"
    client = token.secret.client
    if _is_shut_out(client, token.secret, at=at):
        return "is of a revoked client or secret"
    if why := devices.objection(client.device, at=at):
        return f"is of a device that {why}"
    qualified_at = client.device.qualified_at
    if qualified_at is not None and qualified_at > token.issued_at:
        # Whatever the device was qualified for then: a token does not come back to life.
        return "is older than the device's qualification"
    return None


def _is_shut_out(client: ApiClient, secret: ClientSecret, *, at: datetime) -> bool:
    return (
        client.revoked_at is not None
        or client.site != settings.LOG_ORIGIN
        or not client.device.is_active
        or not secret.is_valid_at(at)
    )


def _client(client_id: str) -> ApiClient | None:
    if not _VISIBLE.fullmatch(client_id):
        return None
    return ApiClient.objects.select_related("device").filter(client_id=client_id).first()


def _fitting(client: ApiClient, secret: str) -> ClientSecret | None:
    """Return the newest of the client's secrets that this is, valid or not."""
    given = clients.digest(secret)
    known = client.secrets.order_by("-pk")
    return next((one for one in known if hmac.compare_digest(one.digest, given)), None)


def _granted(client: ApiClient, wanted: list[str]) -> str:
    if not wanted:
        return client.scopes
    if beyond := sorted(set(wanted) - set(client.scope_list)):
        shown = ", ".join(one for one in beyond if _VISIBLE.fullmatch(one))
        raise ScopeNotGranted(f"{client} was not given: {shown or 'what it asks for'}")
    return scopes.text(wanted)


def _report_dead(client: ApiClient, text: str, address: str, at: datetime) -> None:
    alarms.raise_(
        AlarmKind.REVOKED_TOKEN, text, about=client.device, address=address, at=at,
        once=_hourly(f"{client} {address}", at),
    )  # fmt: skip


def _hourly(what: str, at: datetime) -> str:
    return f"{what} {at:%Y-%m-%d %H}"
