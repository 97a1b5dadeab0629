"""Second factors over the API: what is missing, give it, enrol an app, remove a factor."""

import base64
import binascii
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from compliance.access import callers, credentials
from compliance.access.authentication import PersonAuthentication
from compliance.access.callers import PersonNeeded
from compliance.access.models import User
from compliance.signin import factors, half_open, security_keys, totp
from compliance.signin.messages import (
    AppIn,
    FactorOut,
    GiveIn,
    OwnOut,
    RemoveIn,
    StandingOut,
)
from compliance.signin.middleware import ATTRIBUTE
from compliance.signin.models import SecondFactor

_ASKED = "security_key_asked"
_SECRET = "authenticator_app_secret"  # noqa: S105 -- where the session keeps it until it is tested


class Standing(APIView):
    """What the session lacks, and the way to give it."""

    authentication_classes = [PersonAuthentication]
    without_key = "it completes a session, which is no record; a code counts once"

    def get_permissions(self) -> Sequence[BasePermission]:
        return [AllowAny()]  # a session without its second factor is nobody's; see `_person`

    @extend_schema(operation_id="session_second_factor_read", responses=StandingOut)
    def get(self, request: Request) -> Response:
        """Say whether the session needs a second factor, and which of them there are."""
        person = _person(request)
        options = None
        if keys := factors.keys(person):
            options, request._request.session[_ASKED] = security_keys.ask(keys)
        return Response(_standing(request, person, options))

    @extend_schema(
        operation_id="session_second_factor_give", request=GiveIn, responses={201: StandingOut}
    )
    def post(self, request: Request) -> Response:
        """Give the second factor: a code, or the answer of a security key to what `GET` asked."""
        person = _person(request)
        body = GiveIn(data=request.data)
        body.is_valid(raise_exception=True)
        given: dict[str, Any] = {"address": callers.address(request), "at": timezone.now()}
        session = request._request.session
        if answer := body.validated_data.get("answer"):
            state = session.pop(_ASKED, None)
            factor = factors.give_key(person, state=state, answer=answer, **given)
        else:
            factor = factors.give_code(person, code=body.validated_data.get("code", ""), **given)
        half_open.complete(session, factor)
        return Response(_standing(request, person, None), status=201)


class Own(APIView):
    """One's own second factors."""

    authentication_classes = [PersonAuthentication]
    without_key = "the secret that GET offers is taken once, and completes the session"

    def get_permissions(self) -> Sequence[BasePermission]:
        return [AllowAny()]

    @extend_schema(operation_id="second_factors_list", responses=OwnOut)
    def get(self, request: Request) -> Response:
        """List one's own factors; offer the secret of a new authenticator app."""
        person = _person(request)
        secret = totp.new_secret()
        request._request.session[_SECRET] = totp.shown(secret)
        address = totp.address(secret, username=person.username, site=settings.SITE_NAME)
        shown = {"factors": factors.active(person), "secret": totp.shown(secret)}
        return Response(OwnOut({**shown, "address": address}).data)

    @extend_schema(operation_id="second_factor_enrol", request=AppIn, responses={201: FactorOut})
    def post(self, request: Request) -> Response:
        """Enrol the authenticator app, tested by the code that it shows."""
        person = _person(request)
        body = AppIn(data=request.data)
        body.is_valid(raise_exception=True)
        secret = _offered(request, body.validated_data["secret"])
        at = timezone.now()
        credentials.check(
            username=person.username, password=body.validated_data["password"],
            purpose="session", address=callers.address(request), at=at,
        )  # fmt: skip
        factor = factors.enrol_app(
            person, secret=secret, code=body.validated_data["code"],
            name=body.validated_data["name"], at=at,
        )  # fmt: skip
        half_open.complete(request._request.session, factor)
        return Response(FactorOut(factor).data, status=201)


class Removal(APIView):
    """The end of a factor."""

    @extend_schema(
        operation_id="second_factor_remove", request=RemoveIn, responses={201: FactorOut}
    )
    def post(self, request: Request, pk: int) -> Response:
        """Remove one's own factor, or as an administrator a lost one."""
        body = RemoveIn(data=request.data)
        body.is_valid(raise_exception=True)
        removed = factors.remove(
            get_object_or_404(SecondFactor, pk=pk),
            actor=callers.person(request),
            at=timezone.now(),
            reason=body.validated_data["reason"],
        )
        return Response(FactorOut(removed).data, status=201)


def _offered(request: Request, text: str) -> bytes:
    """Return the secret that this session was offered: nobody enrols one of their own choice."""
    if not text or text != request._request.session.pop(_SECRET, None):
        raise serializers.ValidationError({"secret": "take the one that GET offers"})
    try:
        return base64.b32decode(text + "=" * (-len(text) % 8))
    except binascii.Error as error:
        raise serializers.ValidationError({"secret": "not base32"}) from error


def _person(request: Request) -> User:
    person = getattr(request._request, ATTRIBUTE, request.user)
    if not isinstance(person, User) or not person.is_staff:
        raise PersonNeeded("sign in with name and password first, in a role: POST /api/v1/session")
    return person


def _standing(request: Request, person: User, options: Any) -> dict[str, Any]:
    lacks = half_open.lacks(request._request.session, person)
    kinds = sorted({one.kind for one in factors.active(person)})
    return dict(StandingOut({"lacks": lacks, "kinds": kinds, "options": options}).data)


urlpatterns = [
    path("session/second-factor", Standing.as_view(), name="session-second-factor"),
    path("session/second-factors", Own.as_view(), name="session-second-factors"),
    path("second-factors/<int:pk>/removal", Removal.as_view(), name="second-factor-removal"),
]
