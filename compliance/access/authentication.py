"""Recognise who calls the API: a device by its own or its client's token, a person by the session."""

from contextlib import suppress
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.core.exceptions import RequestDataTooBig
from django.http import UnreadablePostError
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from compliance.access import access_tokens, devices, scopes
from compliance.access.models import AccessToken, Device, User
from compliance.refusals import Refused


class AccountDeactivated(Refused):
    """The session was opened by somebody who has been shut out since."""

    code = "account-deactivated"
    status = 401


class DeviceAuthentication(BaseAuthentication):
    """`Authorization: Bearer <token>` of an enrolled device."""

    def authenticate(self, request: Request) -> tuple[Device, None] | None:
        token = _bearer(request)
        if token is None or token.startswith(access_tokens.PREFIX):
            return None
        device = devices.by_token(token)
        if device is None:
            devices.report_token(token, address=_address(request), at=timezone.now())
            raise AuthenticationFailed("this token belongs to no active device")
        return device, None

    def authenticate_header(self, request: Request) -> str:
        if _bearer(request) is None:  # RFC 6750 3.1: no error to whoever sent no token
            return 'Bearer realm="api"'
        return 'Bearer realm="api", error="invalid_token"'


class ClientAuthentication(BaseAuthentication):
    """`Authorization: Bearer <access token>` of a client; `request.auth` is the token."""

    def authenticate(self, request: Request) -> tuple[Device, AccessToken] | None:
        text = _bearer(request)
        if text is None or not text.startswith(access_tokens.PREFIX):
            return None
        at = timezone.now()
        token = access_tokens.by_token(text, at=at)
        if token is None:
            access_tokens.report(text, address=_address(request), at=at)
            raise AuthenticationFailed("this access token has run out or was never valid")
        return access_tokens.device_of(token), token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'


class PersonAuthentication(SessionAuthentication):
    """A signed-in person, with Django's protection against forged requests."""

    def enforce_csrf(self, request: Request) -> None:
        """Keep the bytes first: the check parses the body, and a write's key is bound to its bytes."""
        # What is too large or broken off is refused by whoever reads it, with its own code.
        with suppress(UnreadablePostError, RequestDataTooBig):
            request._request.body  # noqa: B018 -- Django keeps what is read like this
        super().enforce_csrf(request)


def shut_out(request: Any) -> User | None:
    """Return the deactivated person whose session a request shows, if it is one's.

    To the frames it is nobody's; whose attempt it was is known, and goes on record.
    """
    session = getattr(request, "session", None)
    number = session.get(SESSION_KEY) if session is not None else None
    return User.objects.filter(pk=number, is_active=False).first() if number else None


def _bearer(request: Request) -> str | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _address(request: Request) -> str:
    return str(request.META.get("REMOTE_ADDR", ""))


class DeviceScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = DeviceAuthentication
    name = "device"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "Token of an enrolled device"}


class ClientScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The scopes of an operation are those that its view declares, and stand nowhere else."""

    target_class = ClientAuthentication
    name = "client"

    def get_security_requirement(self, auto_schema: Any) -> Any:
        declared = getattr(auto_schema.view, "scopes", {})  # the schema itself is no endpoint
        scope = declared.get(auto_schema.method.lower())
        return {self.name: [str(scope)]} if scope else []

    def get_security_definition(self, auto_schema: object) -> dict[str, Any]:
        flow = {
            "tokenUrl": "/api/v1/oauth/token",
            "scopes": {scope.value: means for scope, means in scopes.MEANS.items()},
        }
        return {
            "type": "oauth2",
            "description": "Access token of a client; it lasts some minutes (RFC 6749 4.4)",
            "flows": {"clientCredentials": flow},
        }


class PersonScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = PersonAuthentication
    name = "person"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "apiKey", "in": "cookie", "name": "sessionid"}
