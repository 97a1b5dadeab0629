"""Sign in, sign out, and choose a password over the API."""

from collections.abc import Sequence
from typing import Any

from django.contrib import auth
from django.middleware import csrf
from django.urls import path
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from compliance.access import callers, credentials, middleware, people
from compliance.access.authentication import PersonAuthentication
from compliance.access.callers import PersonNeeded
from compliance.access.models import User
from compliance.wire import In, Out, Text

_BACKEND = "compliance.access.backends.RoleBackend"


class SessionIn(In):
    username = Text(max_length=150)
    password = Text(max_length=200, write_only=True)


class SessionOut(Out):
    username = serializers.CharField()
    full_name = serializers.CharField()
    roles = serializers.ListField(child=serializers.CharField())
    must_change_password = serializers.BooleanField()
    csrf_token = serializers.CharField(help_text="Send it as X-CSRFToken with each write.")


class PasswordIn(In):
    current = Text(max_length=200, write_only=True)
    new = Text(max_length=200, write_only=True)


class Session(APIView):
    """The session of a person; devices have none, they send their token."""

    authentication_classes = [PersonAuthentication]
    without_key = "a session is no record, and its cookie cannot be given twice"

    def get_permissions(self) -> Sequence[Any]:
        if self.request.method == "POST":
            return [AllowAny()]
        return super().get_permissions()

    @extend_schema(operation_id="session_read", responses=SessionOut)
    def get(self, request: Request) -> Response:
        """Say who is signed in, and in which roles."""
        return Response(_session(request, _signed_in(request)))

    @extend_schema(operation_id="session_open", request=SessionIn, responses={201: SessionOut})
    def post(self, request: Request) -> Response:
        """Sign in; five wrong attempts in a row lock the name for 15 minutes."""
        body = SessionIn(data=request.data)
        body.is_valid(raise_exception=True)
        found = credentials.check(
            username=body.validated_data["username"],
            password=body.validated_data["password"],
            purpose="session",
            address=callers.address(request),
            at=timezone.now(),
        )
        auth.login(request._request, found, backend=_BACKEND)
        return Response(_session(request, found), status=201)


class SessionEnd(APIView):
    """The end of a person's session: an act like any other, since nothing here is deleted."""

    authentication_classes = [PersonAuthentication]
    without_key = "whoever signed out is nobody, and a repeat finds nothing to end"

    @extend_schema(operation_id="session_end", request=None, responses={204: None})
    def post(self, request: Request) -> Response:
        """Sign out."""
        credentials.signed_out(
            _signed_in(request), address=callers.address(request), at=timezone.now()
        )
        middleware.signed_out(request._request)
        auth.logout(request._request)
        return Response(status=204)


class Password(APIView):
    """The signed-in person's own password."""

    authentication_classes = [PersonAuthentication]
    answer_not_kept = "the token of the session"

    @extend_schema(operation_id="password_change", request=PasswordIn, responses=SessionOut)
    def post(self, request: Request) -> Response:
        """Replace the own password; the current one is asked for again."""
        found = _signed_in(request)
        body = PasswordIn(data=request.data)
        body.is_valid(raise_exception=True)
        at = timezone.now()
        credentials.check(
            username=found.username,
            password=body.validated_data["current"],
            purpose="session",
            address=callers.address(request),
            at=at,
        )
        people.change_password(
            found,
            new=body.validated_data["new"],
            actor=found,
            at=at,
            reason="the person's own choice",
            session=request._request.session.get(middleware.RECORD),
        )
        auth.update_session_auth_hash(request._request, found)
        return Response(_session(request, found))


def _signed_in(request: Request) -> User:
    if not isinstance(request.user, User):
        raise PersonNeeded("nobody is signed in")
    return request.user


def _session(request: Request, found: User) -> dict[str, Any]:
    return SessionOut(
        {
            "username": found.username,
            "full_name": found.full_name,
            "roles": sorted(found.roles),
            "must_change_password": found.must_change_password,
            "csrf_token": csrf.get_token(request._request),
        }
    ).data


urlpatterns = [
    path("session", Session.as_view(), name="session"),
    path("session/end", SessionEnd.as_view(), name="session-end"),
    path("session/password", Password.as_view(), name="session-password"),
]
