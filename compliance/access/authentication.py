"""Recognise who calls the API: a device by its token, a person by the session."""

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

from compliance.access import devices
from compliance.access.models import Device, User
from compliance.refusals import Refused


class AccountDeactivated(Refused):
    """The session was opened by somebody who has been shut out since."""

    code = "account-deactivated"
    status = 401


class DeviceAuthentication(BaseAuthentication):
    """`Authorization: Bearer <token>` of an enrolled device."""

    def authenticate(self, request: Request) -> tuple[Device, None] | None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        device = devices.by_token(token.strip())
        if device is None:
            devices.report_token(
                token.strip(), address=str(request.META.get("REMOTE_ADDR", "")), at=timezone.now()
            )
            raise AuthenticationFailed("this token belongs to no active device")
        return device, None

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


class DeviceScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = DeviceAuthentication
    name = "device"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "Token of an enrolled device"}


class PersonScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = PersonAuthentication
    name = "person"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "apiKey", "in": "cookie", "name": "sessionid"}
