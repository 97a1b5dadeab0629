"""Say who calls the API: a person who signed in, or a device."""

from collections.abc import Mapping
from typing import cast

from django.utils import timezone
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from compliance.access import access_tokens, authority, devices
from compliance.access.duties import Duty
from compliance.access.models import AccessToken, Device, User
from compliance.refusals import Refused


class PersonNeeded(Refused):
    """Only a person may do this."""

    code = "person-needed"
    status = 403


class DeviceNeeded(Refused):
    """Only an enrolled device posts this."""

    code = "device-needed"
    status = 403


class PasswordNotOwn(Refused):
    """Whoever set this password could act in the person's name (21 CFR 11.300)."""

    code = "password-not-own"
    status = 403


class InsufficientScope(Refused):
    """The access token has not the scope of this operation, or no client reaches it."""

    code = "insufficient-scope"
    status = 403

    def __init__(self, scope: str) -> None:
        super().__init__(
            f"this takes an access token with the scope {scope}" if scope
            else "no scope of a client reaches this; it is for people"
        )  # fmt: skip
        wanted = f', scope="{scope}"' if scope else ""
        self.auth_header = f'Bearer realm="api", error="insufficient_scope"{wanted}'  # RFC 6750 3.1


def demand_scope(request: Request, scopes: Mapping[str, str]) -> None:
    """Pass for an access token with the scope of this method, and for everybody without one."""
    token = request.auth
    if not isinstance(token, AccessToken):
        return
    method = str(request.method).lower()
    scope = str(scopes.get("get" if method == "head" else method, ""))
    if not scope or not access_tokens.may(token, scope):
        raise InsufficientScope(scope)


def demand_qualified(request: Request) -> None:
    """Pass for a device that may post, and for everybody who is none."""
    if isinstance(request.user, Device):
        devices.demand_qualified(request.user, at=timezone.now())


def principal(request: Request) -> User | Device:
    """Return whoever calls, when they may act; a device reads always, and posts when qualified."""
    caller = cast(User | Device, request.user)
    if request.method not in SAFE_METHODS:
        demand_qualified(request)
    if isinstance(caller, User):
        _demand_own_password(caller)
    return caller


def _demand_own_password(person: User) -> None:
    if person.must_change_password:
        raise PasswordNotOwn("choose a password of your own first: POST /api/v1/session/password")


def person(request: Request) -> User:
    caller = principal(request)
    if not isinstance(caller, User):
        raise PersonNeeded(f"{caller} is a device; this takes a person who signed in")
    return caller


def device(request: Request) -> Device:
    caller = principal(request)
    if not isinstance(caller, Device):
        raise DeviceNeeded("this is posted by an enrolled device, with its token")
    return caller


def address(request: Request) -> str:
    """Return where the request came from, for the record of a sign-in."""
    return str(request.META.get("REMOTE_ADDR", ""))


class PeopleRead(BasePermission):
    """Reading takes the duty to read; whether an act is allowed is the domain's to say.

    Raise `PersonNeeded` and `NotPermitted` rather than the frame's own no, which says nothing.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        caller = request.user
        if isinstance(caller, Device):
            person(request)
        if not isinstance(caller, User):
            return False
        _demand_own_password(caller)
        if request.method in ("GET", "HEAD"):
            authority.demand(caller, Duty.READ)
        return True


class PeopleAndDevicesRead(PeopleRead):
    """As `PeopleRead`; an enrolled device reads here too, to see how its messages were taken."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return isinstance(request.user, Device) or super().has_permission(request, view)
